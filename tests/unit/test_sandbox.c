/* test_sandbox.c: model files that keep the library busy are refused soon; deep networks take no time of their own.
 * SPDX-License-Identifier: MIT */
#include "model/model.h"
#include "plan/plan.h"
#include "test.h"
#include "train/session/session.h"
#include <time.h>

#define FILE_OF(body) "return {input = {channels = 1, size = 4}, network = function(x)\n" body "\nend}"

static double used(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static const struct {
  const char *body, *says;
} busy[] = {
    {"local s = ('x') for i = 1, 22 do s = s .. s end while true do s:reverse() end", "endless loop"},
    {"local s = ('x') for i = 1, 22 do s = s .. s end while true do s:upper() end", "endless loop"},
    {"local s = ('x') for i = 1, 22 do s = s .. s end while true do ('%s'):format(s) end", "endless loop"},
    {"local s = ('x') for i = 1, 20 do s = s .. s end while true do s:byte(1, 50000) end", "endless loop"},
    {"local t = {} for i = 1, 1e6 do t[i] = i end while true do table.insert(t, 1, 1) table.remove(t, 1) end",
     "endless loop"},
    {"local t = {} for i = 1, 1e6 do t[i] = -i end while true do table.sort(t) end", "endless loop"},
    {"local t = {} for i = 1, 1e6 do t[i] = 'x' end while true do table.concat(t) end", "endless loop"},
    {"local t = {} for i = 1, 1e5 do t[i] = i end while true do table.unpack(t) end", "endless loop"},
    {"local s = ('x') for i = 1, 23 do s = s .. s end local u = s .. 'x' while true do local b = s .. 'x' == u end",
     "endless loop"},
    {"local s = ('x') for i = 1, 10 do s = s .. s end local t = {} for i = 1, 1e9 do t[i] = {s:upper() .. s .. i} end",
     "128 MiB"}, /* in so few steps that the seconds are not over before, however slow they are */
    {"local s = ('x') for i = 1, 24 do s = s .. s end local t = {} for i = 1, 1e5 do t[i] = s end table.sort(t)",
     "endless loop"},
    {"local s = ('x') for i = 1, 24 do s = s .. s end while true do local b = s < s end", "more than 5 seconds"},
    {"local t = {} for i = 1, 4e6 do t[i] = 0 end for i = 1, 4e6 do t[i] = nil end while true do next(t) end",
     "more than 5 seconds"},
    {"local s = ('x') for i = 1, 20 do s = s .. s end while true do print(s) end", "endless loop"},
    {"local t = {} for i = 1, 1e6 do t[i] = i end while true do print(t) end", "endless loop"},
    {"local t = {} for i = 1, 1e6 do t[i] = 0 end x = nn.linear(nn.flatten(x), 1000) "
     "for i = 1, 150 do x = nn.linear(x, 1000, {values = t}) end return x",
     "128 MiB"},
    {"string.upper({})", "bad argument #1 to 'upper' (string expected"},
};

/* Each by a limit of its own, in seconds of the processor that do not depend on others' load. */
START_TEST(work_inside_the_library) {
  char text[1024];
  struct skp_model *m;
  snprintf(text, sizeof text, FILE_OF("%s"), busy[_i].body);
  const double began = used();
  ck_fails(skp__model_parse(&m, "m.lua", text, NULL, 0, 0, NULL), SKP_MODEL, busy[_i].says);
  ck_assert(used() - began < 15);
}
END_TEST

/* A training step of many layers, planned: what was quadratic took a minute. */
START_TEST(deep_networks) {
  static const char *const texts[] = {
      FILE_OF("for i = 1, 40000 do x = nn.relu(x) end return nn.linear(nn.flatten(x), 2)"),
      FILE_OF("x = nn.flatten(x) for i = 1, 10000 do x = nn.linear(x, 4) end return nn.linear(x, 2)"),
      FILE_OF("for i = 1, 5000 do x = nn.relu(nn.batchnorm2d(x)) end return nn.linear(nn.flatten(x), 2)"),
  };
  struct skp_model *m;
  struct skp_graph *g;
  struct skp_plan_needs needs;
  const double began = used();
  ck_ok(skp__model_parse(&m, "m.lua", texts[_i], NULL, 0, 0, NULL));
  ck_ok(skp__step_graph(&g, m, &(struct skp__variant){SKP_STEP_TRAIN, .N = 8}));
  ck_ok(skp__plan_measure(&needs, g, NULL));
  ck_assert(used() - began < 10);
  skp__model_destroy(m);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("sandbox");
  TCase *c = tcase_create("sandbox");
  tcase_set_timeout(c, 300);
  tcase_set_tags(c, "seconds"); /* under checkers the seconds that a file has are over first */
  tcase_add_loop_test(c, work_inside_the_library, 0, sizeof busy / sizeof *busy);
  tcase_add_loop_test(c, deep_networks, 0, 3);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
