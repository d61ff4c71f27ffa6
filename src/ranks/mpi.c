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
#include <string.h>
#include <time.h>

/* What is sent and received lies here: a request that never ends may go on to read and write it after its call has
 * failed, and then it is left to the process's end. */
struct bytes {
  unsigned char *at;
  size_t room;
};

struct mpi {
  struct skp__wire wire; /* first */
  MPI_Comm all;          /* MPI_COMM_NULL: not yet */
  double timeout;
  bool began; /* by this library, which then ends MPI */
  bool out;   /* a request did not end */
  struct bytes mine, got;
};

/* ---- failures ---------------------------------------------------------------------------------------------------- */

/* MPI explains its codes while it runs. */
static skp_status fail_mpi(int code, const char *what) {
  char text[MPI_MAX_ERROR_STRING] = "";
  int n, runs = 0, over = 1;
  (void)MPI_Initialized(&runs);
  (void)MPI_Finalized(&over);
  if (!runs || over || MPI_Error_string(code, text, &n) != MPI_SUCCESS) snprintf(text, sizeof text, "code %d", code);
  return skp__fail(SKP_IO, "%s (MPI: %s).", what, text);
}

static skp_status fail_lost(const struct mpi *m) {
  return skp__fail(SKP_IO,
                   "Rank %d of %d waited %.0f s for the others: one of them, or its machine or the network, is gone or "
                   "hangs. Where they are only slow, allow for more (%s).",
                   m->wire.rank, m->wire.size, m->timeout, skp__option("skp_ranks_open"));
}

/* ---- messages ---------------------------------------------------------------------------------------------------- */

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
  int done = 0;
  for (double waited = 0; code == MPI_SUCCESS && !done && waited <= m->timeout; waited = skp__clock() - begin) {
    code = MPI_Test(request, &done, MPI_STATUS_IGNORE);
    if (!done) give_way_after(waited);
  }
  m->out = !done;
  if (code != MPI_SUCCESS) return fail_mpi(code, "The ranks cannot reach each other");
  return done ? SKP_OK : fail_lost(m);
}

static skp_status reserve(struct bytes *b, size_t bytes) {
  if (bytes <= b->room) return SKP_OK;
  free(b->at);
  *b = (struct bytes){.at = NULL};
  SKP_TRY(skp__alloc(&b->at, bytes, 1));
  b->room = bytes;
  return SKP_OK;
}

/* Room for `mine` and for what is received, with what is sent in it. */
static skp_status load(struct mpi *m, const void *mine, size_t bytes, size_t got) {
  if (m->out) return skp__fail(SKP_INTERNAL, "A message is still on its way.");
  if (bytes > INT_MAX) return skp__fail(SKP_INTERNAL, "%zu bytes are too many for a message.", bytes);
  SKP_TRY(reserve(&m->mine, bytes));
  SKP_TRY(reserve(&m->got, got));
  memcpy(m->mine.at, mine, bytes);
  return SKP_OK;
}

static skp_status unload(const struct bytes *b, skp_status status, void *to, size_t bytes) {
  if (status == SKP_OK) memcpy(to, b->at, bytes);
  return status;
}

static skp_status gather(struct skp__wire *w, void *all, const void *mine, size_t bytes) {
  struct mpi *m = (struct mpi *)w;
  const size_t got = bytes * (size_t)w->size;
  const int n = (int)bytes;
  MPI_Request request;
  SKP_TRY(load(m, mine, bytes, got));
  const int code = MPI_Iallgather(m->mine.at, n, MPI_BYTE, m->got.at, n, MPI_BYTE, m->all, &request);
  return unload(&m->got, wait(m, code, &request), all, got);
}

static skp_status deal(struct skp__wire *w, void *got, const void *mine, size_t bytes) {
  struct mpi *m = (struct mpi *)w;
  const size_t all = bytes * (size_t)w->size;
  const int n = (int)bytes;
  MPI_Request request;
  SKP_TRY(load(m, mine, all, all));
  const int code = MPI_Ialltoall(m->mine.at, n, MPI_BYTE, m->got.at, n, MPI_BYTE, m->all, &request);
  return unload(&m->got, wait(m, code, &request), got, all);
}

static skp_status hand_out(struct skp__wire *w, int from, void *what, size_t bytes) {
  struct mpi *m = (struct mpi *)w;
  MPI_Request request;
  SKP_TRY(load(m, what, bytes, 0));
  const int code = MPI_Ibcast(m->mine.at, (int)bytes, MPI_BYTE, from, m->all, &request);
  return unload(&m->mine, wait(m, code, &request), what, bytes);
}

/* ---- beginning, ending ------------------------------------------------------------------------------------------- */

static void close_mpi(struct skp__wire *w, bool together) {
  struct mpi *m = (struct mpi *)w;
  if (together) {
    if (m->all != MPI_COMM_NULL) (void)MPI_Comm_free(&m->all);
    if (m->began) (void)MPI_Finalize();
  }
  if (!m->out) free(m->mine.at);
  if (!m->out) free(m->got.at);
  free(m);
}

static int find_neighbours(struct mpi *m) {
  MPI_Comm here;
  int code = MPI_Comm_split_type(m->all, MPI_COMM_TYPE_SHARED, m->wire.rank, MPI_INFO_NULL, &here);
  if (code != MPI_SUCCESS) return code;
  (void)MPI_Comm_set_errhandler(here, MPI_ERRORS_RETURN);
  code = MPI_Comm_rank(here, &m->wire.place);
  if (code == MPI_SUCCESS) code = MPI_Comm_size(here, &m->wire.neighbours);
  const int freed = MPI_Comm_free(&here);
  return code == MPI_SUCCESS ? freed : code;
}

/* Messages of its own, beside those of a program that uses MPI, too. An error is a code here, not the program's end:
 * for good where MPI is this library's, for the moment where it is the program's, which may want it otherwise. */
static int copy_world(struct mpi *m) {
  MPI_Errhandler before;
  int code = MPI_Comm_get_errhandler(MPI_COMM_WORLD, &before);
  if (code != MPI_SUCCESS) return code;
  (void)MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  code = MPI_Comm_dup(MPI_COMM_WORLD, &m->all);
  if (code == MPI_SUCCESS) code = MPI_Comm_set_errhandler(m->all, MPI_ERRORS_RETURN);
  if (m->began)
    (void)MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN);
  else
    (void)MPI_Comm_set_errhandler(MPI_COMM_WORLD, before);
  (void)MPI_Errhandler_free(&before);
  return code;
}

static int join(struct mpi *m) {
  int code = copy_world(m);
  if (code == MPI_SUCCESS) code = MPI_Comm_rank(m->all, &m->wire.rank);
  if (code == MPI_SUCCESS) code = MPI_Comm_size(m->all, &m->wire.size);
  return code == MPI_SUCCESS ? find_neighbours(m) : code;
}

/* MPI begins and ends once in a process. */
static skp_status begin(struct mpi *m) {
  int runs = 0, over = 0, level = MPI_THREAD_SINGLE, code = MPI_Initialized(&runs);
  if (code == MPI_SUCCESS) code = MPI_Finalized(&over);
  if (over) return skp__fail(SKP_USAGE, "MPI has ended in this process, and cannot begin again: open the ranks once.");
  if (code == MPI_SUCCESS)
    code = runs ? MPI_Query_thread(&level) : MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level);
  if (code != MPI_SUCCESS) return fail_mpi(code, "MPI does not begin");
  m->began = !runs;
  if (level >= MPI_THREAD_FUNNELED) return SKP_OK;
  return skp__fail(SKP_UNSUPPORTED,
                   "This MPI serves programs of a single thread alone, and there are others here, which load images. "
                   "%s.",
                   runs ? "Begin it by MPI_Init_thread with MPI_THREAD_FUNNELED"
                        : "Take one that was built with threads");
}

static skp_status open_mpi(struct mpi *m) {
  SKP_TRY(begin(m));
  const int code = join(m);
  return code == MPI_SUCCESS ? SKP_OK : fail_mpi(code, "MPI does not begin");
}

skp_status skp__wire_mpi(struct skp__wire **out, double timeout) {
  const double usual = 600;
  struct mpi *m;
  *out = NULL;
  SKP_TRY(skp__alloc(&m, 1, sizeof *m));
  m->wire = (struct skp__wire){.gather = gather, .deal = deal, .hand_out = hand_out, .close = close_mpi};
  m->all = MPI_COMM_NULL;
  m->timeout = timeout > 0 ? timeout : usual;
  const skp_status status = open_mpi(m);
  if (status == SKP_OK)
    *out = &m->wire;
  else
    close_mpi(&m->wire, true);
  return status;
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
