/* mpi.c: ranks that mpirun started; all calls of MPI. SPDX-License-Identifier: MIT */
#include "base/array.h"
#include "base/clock.h"
#include "base/host.h"
#include "ranks/wire.h"
#include <limits.h>
#include <stdlib.h>

#ifdef SKP_MPI
#include <mpi.h>
#include <sched.h>
#include <time.h>

struct mpi {
  struct skp__wire wire; /* first */
  MPI_Comm all;
  double timeout;
  bool began; /* by this library, which then ends MPI */
};

static skp_status fail_mpi(int code, const char *what) {
  char text[MPI_MAX_ERROR_STRING] = "";
  int n;
  (void)MPI_Error_string(code, text, &n);
  return skp__fail(SKP_IO, "%s (MPI: %s).", what, text);
}

static skp_status fail_lost(const struct mpi *m) {
  return skp__fail(SKP_IO,
                   "Rank %d of %d waited %.0f s for the others: one of them, or its machine or the network, is gone or "
                   "hangs. Where they are only slow, allow for more (%s).",
                   m->wire.rank, m->wire.size, m->timeout, skp__option("skp_ranks_open"));
}

/* Gives the processor to others: first to whoever wants it just now, after a while for longer. */
static void give_way_after(double waited) {
  const double short_while = 1e-3;
  if (waited < short_while)
    sched_yield();
  else
    nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
}

/* MPI's own waiting takes all of a processor, and knows no end. */
static skp_status wait(struct mpi *m, int code, MPI_Request *request) {
  const double begin = skp__clock();
  for (int done = 0; code == MPI_SUCCESS && !done;) {
    code = MPI_Test(request, &done, MPI_STATUS_IGNORE);
    const double waited = skp__clock() - begin;
    if (code == MPI_SUCCESS && !done && waited > m->timeout) return fail_lost(m);
    if (!done) give_way_after(waited);
  }
  return code == MPI_SUCCESS ? SKP_OK : fail_mpi(code, "The ranks cannot reach each other");
}

static skp_status check_size(size_t bytes) {
  return bytes <= INT_MAX ? SKP_OK : skp__fail(SKP_INTERNAL, "%zu bytes are too many for a message.", bytes);
}

static skp_status gather(struct skp__wire *w, void *all, const void *mine, size_t bytes) {
  struct mpi *m = (struct mpi *)w;
  MPI_Request request;
  SKP_TRY(check_size(bytes));
  const int n = (int)bytes;
  return wait(m, MPI_Iallgather(mine, n, MPI_BYTE, all, n, MPI_BYTE, m->all, &request), &request);
}

static skp_status deal(struct skp__wire *w, void *got, const void *mine, size_t bytes) {
  struct mpi *m = (struct mpi *)w;
  MPI_Request request;
  SKP_TRY(check_size(bytes));
  const int n = (int)bytes;
  return wait(m, MPI_Ialltoall(mine, n, MPI_BYTE, got, n, MPI_BYTE, m->all, &request), &request);
}

static skp_status hand_out(struct skp__wire *w, int from, void *what, size_t bytes) {
  struct mpi *m = (struct mpi *)w;
  MPI_Request request;
  SKP_TRY(check_size(bytes));
  return wait(m, MPI_Ibcast(what, (int)bytes, MPI_BYTE, from, m->all, &request), &request);
}

static void close_mpi(struct skp__wire *w, bool together) {
  struct mpi *m = (struct mpi *)w;
  if (together) {
    MPI_Comm_free(&m->all);
    if (m->began) MPI_Finalize();
  }
  free(m);
}

static int find_neighbours(struct mpi *m) {
  MPI_Comm here;
  int code = MPI_Comm_split_type(m->all, MPI_COMM_TYPE_SHARED, m->wire.rank, MPI_INFO_NULL, &here);
  if (code == MPI_SUCCESS) code = MPI_Comm_rank(here, &m->wire.place);
  if (code == MPI_SUCCESS) code = MPI_Comm_size(here, &m->wire.neighbours);
  if (code == MPI_SUCCESS) code = MPI_Comm_free(&here);
  return code;
}

/* Messages of its own, beside those of a program that uses MPI, too. */
static int join(struct mpi *m) {
  int there, code = MPI_Initialized(&there);
  m->began = !there;
  if (code == MPI_SUCCESS && !there) code = MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &(int){0});
  if (code == MPI_SUCCESS) code = MPI_Comm_dup(MPI_COMM_WORLD, &m->all);
  if (code == MPI_SUCCESS) code = MPI_Comm_set_errhandler(m->all, MPI_ERRORS_RETURN);
  if (code == MPI_SUCCESS) code = MPI_Comm_rank(m->all, &m->wire.rank);
  if (code == MPI_SUCCESS) code = MPI_Comm_size(m->all, &m->wire.size);
  return code == MPI_SUCCESS ? find_neighbours(m) : code;
}

skp_status skp__wire_mpi(struct skp__wire **out, double timeout) {
  const double usual = 600;
  struct mpi *m;
  *out = NULL;
  SKP_TRY(skp__alloc(&m, 1, sizeof *m));
  m->wire = (struct skp__wire){.gather = gather, .deal = deal, .hand_out = hand_out, .close = close_mpi};
  m->timeout = timeout > 0 ? timeout : usual;
  const int code = join(m);
  if (code == MPI_SUCCESS) {
    *out = &m->wire;
    return SKP_OK;
  }
  free(m);
  return fail_mpi(code, "MPI does not begin");
}

#else

skp_status skp__wire_mpi(struct skp__wire **out, double timeout) {
  (void)timeout;
  *out = NULL;
  return skp__fail(SKP_UNSUPPORTED,
                   "Several processes can train together, but this build has no MPI, by which they would. Install it "
                   "(Debian: libopenmpi-dev and openmpi-bin; or MPICH) and build again with -DSKP_MPI=ON.");
}

#endif
