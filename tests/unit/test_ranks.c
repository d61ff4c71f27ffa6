/* test_ranks.c: what ranks tell each other, over a wire between threads of one process: the order of sums, failures
 * that all hear of, ranks that part. SPDX-License-Identifier: MIT */
#include "base/array.h"
#include "ranks/wire.h"
#include "test.h"
#include <pthread.h>

enum { MOST = 5 };

/* Where the ranks of a test leave bytes for each other. */
struct hall {
  int size;
  pthread_barrier_t all;
  const void *mine[MOST];
  skp_status (*act)(struct skp_ranks *r, int rank, void *user);
  void *user;
  skp_status status[MOST];
  char text[MOST][256];
};

struct threads {
  struct skp__wire wire; /* first */
  struct hall *hall;
};

static skp_status gather(struct skp__wire *w, void *all, const void *mine, size_t bytes) {
  struct hall *h = ((struct threads *)w)->hall;
  h->mine[w->rank] = mine;
  pthread_barrier_wait(&h->all);
  for (int q = 0; q < h->size; q++) memcpy((char *)all + (size_t)q * bytes, h->mine[q], bytes);
  pthread_barrier_wait(&h->all);
  return SKP_OK;
}

static skp_status deal(struct skp__wire *w, void *got, const void *mine, size_t bytes) {
  struct hall *h = ((struct threads *)w)->hall;
  h->mine[w->rank] = mine;
  pthread_barrier_wait(&h->all);
  for (int q = 0; q < h->size; q++)
    memcpy((char *)got + (size_t)q * bytes, (const char *)h->mine[q] + (size_t)w->rank * bytes, bytes);
  pthread_barrier_wait(&h->all);
  return SKP_OK;
}

static skp_status hand_out(struct skp__wire *w, int from, void *what, size_t bytes) {
  struct hall *h = ((struct threads *)w)->hall;
  h->mine[w->rank] = what;
  pthread_barrier_wait(&h->all);
  if (w->rank != from) memcpy(what, h->mine[from], bytes);
  pthread_barrier_wait(&h->all);
  return SKP_OK;
}

static void close_wire(struct skp__wire *w, bool together) {
  (void)together;
  free(w);
}

struct seat {
  struct hall *hall;
  int rank;
};

static void *sit(void *user) {
  const struct seat *seat = user;
  struct hall *h = seat->hall;
  const int rank = seat->rank;
  struct threads *t = malloc(sizeof *t);
  struct skp_ranks *r;
  *t = (struct threads){{rank, h->size, rank, h->size, gather, deal, hand_out, close_wire}, h};
  ck_ok(skp__ranks_on(&r, &t->wire));
  h->status[rank] = h->act(r, rank, h->user);
  if (h->status[rank] != SKP_OK) snprintf(h->text[rank], sizeof h->text[rank], "%s", skp_error_message());
  skp__ranks_close(r, h->status[rank]);
  return NULL;
}

/* So many ranks do the same. */
static void run(struct hall *h, int size, skp_status (*act)(struct skp_ranks *r, int rank, void *user), void *user) {
  pthread_t thread[MOST];
  struct seat seat[MOST];
  *h = (struct hall){.size = size, .act = act, .user = user};
  pthread_barrier_init(&h->all, NULL, (unsigned)size);
  for (int q = 0; q < size; q++) {
    seat[q] = (struct seat){h, q};
    ck_assert_int_eq(pthread_create(&thread[q], NULL, sit, &seat[q]), 0);
  }
  for (int q = 0; q < size; q++) pthread_join(thread[q], NULL);
  pthread_barrier_destroy(&h->all);
}

/* ---- sums -------------------------------------------------------------------------------------------------------- */

struct sums {
  int64_t n;
  float *got[MOST];
};

/* In float the order of these is seen. */
static float value(int rank, int64_t i) { return (float)(rank % 2 ? 1e8 : 1) / (float)(3 + rank + i % 7); }

static skp_status add(struct skp_ranks *r, int rank, void *user) {
  struct sums *s = user;
  float *x = malloc((size_t)skp__ranks_room(r, s->n) * sizeof *x);
  for (int64_t i = 0; i < s->n; i++) x[i] = value(rank, i);
  s->got[rank] = x;
  return skp__ranks_sum(r, x, s->n);
}

/* Of few values and of more than a bucket, for numbers of ranks that divide them and that do not. */
START_TEST(sums_are_in_the_order_of_ranks) {
  static const int64_t sizes[] = {1, 2, 7, 1000, (1 << 20) + 3};
  struct hall h;
  for (int size = 1; size <= MOST; size++)
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
      struct sums s = {.n = sizes[k]};
      run(&h, size, add, &s);
      for (int q = 0; q < size; q++) {
        ck_assert_int_eq(h.status[q], SKP_OK);
        int64_t right = 0;
        for (int64_t i = 0; i < s.n; i++) {
          float want = value(0, i);
          for (int p = 1; p < size; p++) want += value(p, i);
          right += s.got[q][i] == want;
        }
        ck_assert_int_eq(right, s.n);
        free(s.got[q]);
      }
    }
}
END_TEST

/* ---- meetings ---------------------------------------------------------------------------------------------------- */

static skp_status wish(struct skp_ranks *r, int rank, void *user) {
  unsigned *got = user;
  got[rank] = rank == 1 ? SKP_WISH_STOP : rank == 2 ? SKP_WISH_SAVE : 0;
  SKP_TRY(skp__ranks_meet(r, SKP_OK, &got[rank]));
  int all[MOST], first = 10 + rank, last = 10 + rank;
  SKP_TRY(skp__ranks_gather(r, all, &(int){rank * rank}, sizeof *all));
  for (int q = 0; q < skp__ranks_size(r); q++) ck_assert_int_eq(all[q], q * q);
  SKP_TRY(skp__ranks_hand_out(r, 0, &first, sizeof first));
  SKP_TRY(skp__ranks_hand_out(r, 2, &last, sizeof last));
  ck_assert_int_eq(first, 10);
  ck_assert_int_eq(last, 12);
  return SKP_OK;
}

START_TEST(what_one_wants_all_hear) {
  struct hall h;
  unsigned got[MOST];
  run(&h, 3, wish, got);
  for (int q = 0; q < 3; q++) {
    ck_assert_int_eq(h.status[q], SKP_OK);
    ck_assert_int_eq(got[q], SKP_WISH_STOP | SKP_WISH_SAVE);
  }
}
END_TEST

/* Ranks 1 and 3 fail, each on its own, before a sum; the others find out in it. */
static skp_status stumble(struct skp_ranks *r, int rank, void *user) {
  float x[MOST] = {0};
  (void)user;
  if (rank % 2) return skp__fail(SKP_FORMAT, "Picture %d is torn.", rank);
  SKP_TRY(skp__ranks_meet(r, SKP_OK, NULL));
  return skp__ranks_sum(r, x, MOST);
}

START_TEST(a_failure_is_heard_of) {
  struct hall h;
  run(&h, 4, stumble, NULL);
  for (int q = 0; q < 4; q++) ck_assert_int_eq(h.status[q], SKP_FORMAT);
  ck_assert_str_eq(h.text[1], "Picture 1 is torn.");
  ck_assert_str_eq(h.text[3], "Picture 3 is torn.");
  for (int q = 0; q < 4; q += 2) {
    ck_assert_msg(strstr(h.text[q], "Rank 1 of 4 (on "), "%s", h.text[q]);
    ck_assert_msg(strstr(h.text[q], "Picture 1 is torn."), "%s", h.text[q]);
  }
}
END_TEST

static skp_status part(struct skp_ranks *r, int rank, void *user) {
  float x[MOST] = {0};
  (void)user;
  skp_status status = rank ? skp__ranks_sum(r, x, 1) : skp__ranks_meet(r, SKP_OK, NULL);
  ck_assert_int_eq(status, SKP_INTERNAL);
  return skp__ranks_meet(r, SKP_OK, NULL); /* nobody comes */
}

START_TEST(who_does_something_else_has_parted) {
  struct hall h;
  run(&h, 3, part, NULL);
  for (int q = 0; q < 3; q++) ck_assert_int_eq(h.status[q], SKP_INTERNAL);
}
END_TEST

START_TEST(alone_nothing_changes) {
  float x = 3;
  int all = 0;
  unsigned wishes = SKP_WISH_LATE;
  ck_assert_int_eq(skp__ranks_size(NULL), 1);
  ck_assert_int_eq(skp__ranks_rank(NULL), 0);
  ck_assert_int_eq(skp__ranks_room(NULL, 7), 7);
  ck_ok(skp__ranks_sum(NULL, &x, 1));
  ck_ok(skp__ranks_gather(NULL, &all, &(int){4}, sizeof all));
  ck_ok(skp__ranks_hand_out(NULL, 0, &all, sizeof all));
  ck_ok(skp__ranks_meet(NULL, SKP_OK, &wishes));
  ck_assert(x == 3 && all == 4 && wishes == SKP_WISH_LATE);
  ck_assert_int_eq(skp__ranks_meet(NULL, SKP_DEVICE, NULL), SKP_DEVICE);
  skp__ranks_close(NULL, SKP_OK);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("ranks");
  TCase *tests = tcase_create("ranks");
  tcase_add_test(tests, sums_are_in_the_order_of_ranks);
  tcase_add_test(tests, what_one_wants_all_hear);
  tcase_add_test(tests, a_failure_is_heard_of);
  tcase_add_test(tests, who_does_something_else_has_parted);
  tcase_add_test(tests, alone_nothing_changes);
  suite_add_tcase(suite, tests);
  return skp__test_main(suite);
}
