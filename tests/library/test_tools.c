/* test_tools.c: skipper/run.h and skipper/tools.h: what programs like Skipper's own stand on.
 * SPDX-License-Identifier: MIT */
#include "library.h"
#include <skipper/run.h>
#include <skipper/tools.h>

/* A run is described before it begins, leaves no folder if it does not, and goes on as it was. */
START_TEST(a_run_step_by_step) {
  skp_data *data = wrap(&as_bytes);
  skp_run *run;
  skp_run_facts facts;
  skp_outcome outcome;
  skp_training t;
  skp_data_options o;
  char runs[80];
  snprintf(runs, sizeof runs, "%s", in_folder("runs"));
  open_plain(NULL);
  ck_ok(skp_data_check(data, model));
  ck_ok(skp_run_begin(&run, model));
  skp_run_options(run, &t, &o);
  ck_assert(!t.resume && !t.seed && !o.strict);
  t.runs = runs;
  t.seed = 5;
  t.max_steps = 3;
  ck_ok(skp_run_prepare(run, data, &t));
  skp_run_describe(run, &facts);
  ck_assert_int_eq(facts.train, IMAGES);
  ck_assert_int_eq(facts.test, IMAGES);
  ck_assert_int_eq(facts.classes, 2);
  ck_assert_int_eq(facts.finished, -1);
  ck_assert_ptr_nonnull(strstr(facts.folder, "plain-1"));
  ck_assert_int_eq(access(in_folder("runs/plain-1"), F_OK), 0);
  skp_run_close(run);
  ck_assert_int_ne(access(in_folder("runs"), F_OK), 0);

  ck_ok(skp_run_begin(&run, model));
  ck_ok(skp_run_prepare(run, data, &t));
  ck_ok(skp_run_train(run, session, &outcome));
  ck_assert_int_eq(outcome.steps, 3);
  ck_assert_int_eq(outcome.step_in_epoch, 3);
  skp_run_close(run);

  ck_fails(skp_run_resume(&run, &(skp_resumption){.runs = in_folder("nowhere")}), SKP_USAGE, "no run to resume");
  ck_fails(skp_run_resume(&run, &(skp_resumption){.runs = runs, .settings = (const char *[]){"classes=3", NULL}}),
           SKP_USAGE, "was another");
  ck_ok(skp_run_resume(&run, &(skp_resumption){.runs = runs}));
  skp_run_options(run, &t, &o);
  ck_assert_uint_eq(t.seed, 5);
  ck_assert_int_eq(t.max_steps, 3);
  ck_ok(skp_run_prepare(run, data, &t));
  skp_run_describe(run, &facts);
  ck_assert_int_eq(facts.resumed, 1);
  ck_assert_int_eq(facts.finished, 3);
  skp_run_close(run);
  ck_ok(skp_run_resume(&run, &(skp_resumption){.runs = runs}));
  t.max_steps = 5;
  ck_ok(skp_run_prepare(run, data, &t));
  skp_session *other;
  ck_fails(skp_run_train(run, session, NULL), SKP_USAGE, "another model");
  ck_ok(skp_session_open(&other, skp_run_model(run), device, 1));
  ck_ok(skp_run_train(run, other, &outcome));
  ck_assert_int_eq(outcome.steps, 5);
  skp_session_close(other);
  skp_run_close(run);
  skp_data_close(data);
}
END_TEST

/* One of several that differ in their seeds: the first makes the folder for all, which goes again with the last of
 * them that does not begin. */
START_TEST(runs_by_seed) {
  skp_data *data = wrap(&as_bytes);
  skp_run *run, *second;
  skp_run_facts facts;
  char runs[80], all[80], given[80];
  skp_training t = {.runs = runs, .by_seed = 1, .seed = 4294967296, .max_steps = 1};
  snprintf(runs, sizeof runs, "%s", in_folder("runs"));
  snprintf(all, sizeof all, "%s", in_folder("runs/plain-1"));
  snprintf(given, sizeof given, "%s", in_folder("runs/plain-1/seed-4294967296"));
  open_plain(NULL);
  ck_ok(skp_run_begin(&run, model));
  ck_ok(skp_run_prepare(run, data, &t));
  skp_run_describe(run, &facts);
  ck_assert_str_eq(facts.seeds, all);
  ck_assert_str_eq(facts.folder, given);
  ck_assert_int_eq(access(given, F_OK), 0);
  t.out = all;
  t.seed = 2;
  ck_ok(skp_run_begin(&second, model));
  ck_ok(skp_run_prepare(second, data, &t));
  ck_assert_int_eq(access(in_folder("runs/plain-1/seed-2"), F_OK), 0);
  skp_run_close(second);
  ck_assert_int_ne(access(in_folder("runs/plain-1/seed-2"), F_OK), 0);
  ck_assert_int_eq(access(all, F_OK), 0);
  skp_run_close(run);
  ck_assert_int_ne(access(in_folder("runs"), F_OK), 0);
  skp_data_close(data);
}
END_TEST

START_TEST(a_report_says_where_it_errs) {
  skp_data *data = wrap(&as_bytes);
  const skp_report *report;
  skp_class_score c;
  skp_image_score image;
  skp_score score;
  int64_t right = 0, all = 0;
  open_plain(NULL);
  ck_assert_ptr_null(skp_session_report(session));
  ck_ok(skp_train(session, data, NULL, NULL));
  ck_ok(skp_evaluate(session, data, SKP_BEST_IMAGES,
                     &(skp_testing){.worst = 3, .folder = in_folder("report"), .logits = NULL}, &score));
  report = skp_session_report(session);
  for (int i = 0; i < skp_report_classes(report); i++) {
    ck_ok(skp_report_class(report, i, &c));
    ck_assert_str_eq(c.name, names[i]);
    right += skp_report_confusion(report, i, i);
    all += c.images;
  }
  ck_assert_int_eq(all, IMAGES);
  ck_assert_double_eq_tol((double)right / IMAGES, score.accuracy, 1e-12);
  ck_assert_int_eq(skp_report_images(report), 3);
  ck_ok(skp_report_image(report, 0, &image));
  ck_assert_int_eq(image.right, strcmp(image.label, image.prediction) == 0);
  ck_fails(skp_report_image(report, 3, &image), SKP_USAGE, "image 3");
  ck_fails(skp_report_class(report, 2, &c), SKP_USAGE, "class 2");
  ck_assert_ptr_null(skp_report_unknown(report, 0));
  ck_assert_int_eq(access(in_folder("report/confusion.csv"), F_OK), 0);
  skp_data_close(data);
}
END_TEST

/* ---- runs beside each other -------------------------------------------------------------------------------------- */

static char paths[2][64];
static const char *const runs[] = {paths[0], paths[1]};

static void train_run(int i, const char *rate) {
  skp_data *data = wrap(&as_bytes);
  strcpy(paths[i], in_folder(i ? "b" : "a"));
  close_model();
  open_plain(NULL);
  ck_ok(skp_model_set(model, "lr", rate));
  ck_ok(skp_train(session, data, &(skp_training){.out = paths[i], .seed = 3}, NULL));
  skp_data_close(data);
}

/* What is in a file, in fresh memory. */
static char *text_of(const char *path) {
  FILE *file = fopen(path, "r");
  char *text = NULL;
  size_t room = 0;
  ck_assert_ptr_nonnull(file);
  ck_assert_int_gt(getdelim(&text, &room, '\0', file), 0);
  fclose(file);
  return text;
}

START_TEST(runs_are_shown_together) {
  char page[64], figures[64], *text = NULL;
  size_t size;
  train_run(0, "0.5");
  train_run(1, "0.25");
  FILE *to = open_memstream(&text, &size);
  ck_ok(skp_runs_compare(runs, 2, to));
  fclose(to);
  ck_assert_msg(strstr(text, paths[0]) && strstr(text, paths[1]) && strstr(text, "0.25") && strstr(text, "best epoch"),
                "%s", text);
  free(text);
  strcpy(page, in_folder("page.html"));
  strcpy(figures, in_folder("figures"));
  skp_spread spread;
  ck_ok(skp_runs_spread(runs, 2, &spread));
  ck_assert(spread.runs ? spread.runs == 2 && spread.least <= spread.median : spread.runs == 0);
  ck_ok(skp_runs_time(runs, 1, device, NULL));
  ck_ok(skp_runs_report(runs, 2, page));
  text = text_of(page);
  ck_assert(strstr(text, "<svg") && strstr(text, "0.25") && !strstr(text, "http-equiv=refresh"));
  free(text);
  ck_ok(skp_runs_show(runs, 2, &(skp_showing){.page = page, .reload = 1, .figures = figures}));
  text = text_of(page);
  ck_assert_ptr_nonnull(strstr(text, "http-equiv=refresh"));
  free(text);
  ck_assert_int_eq(access(figures, F_OK), 0);
}
END_TEST

START_TEST(what_is_no_run_is_not_shown) {
  char page[64];
  train_run(0, "0.5");
  strcpy(paths[1], in_folder("none"));
  strcpy(page, in_folder("page.html"));
  ck_fails(skp_runs_report(runs, 0, page), SKP_USAGE, "Name the folder of a run");
  ck_fails(skp_runs_report(runs, 2, page), SKP_IO, "none");
  ck_fails(skp_runs_compare(runs, 2, stderr), SKP_IO, "none");
  ck_assert_int_ne(access(page, F_OK), 0);
  ck_fails(skp_runs_report(runs, 1, in_folder("nowhere/page.html")), SKP_IO, "nowhere/page.html");
}
END_TEST

/* Whether a run goes on, as one who listens to it sees. */
static int look_on(void *user, const skp_event *event) {
  int *going = user;
  (void)event;
  *going |= skp_runs_going(runs, 2);
  return 0;
}

START_TEST(runs_that_go_on) {
  int going = 0;
  strcpy(paths[1], in_folder("none"));
  skp_listen(look_on, &going);
  train_run(0, "0.5");
  skp_listen(NULL, NULL);
  ck_assert_int_eq(going, 1);
  ck_assert_int_eq(skp_runs_going(runs, 2), 0);
  ck_assert_int_eq(skp_runs_going(runs, 0), 0);
  ck_assert_int_gt(skp_runs_latest(runs, 2), 0);
  ck_assert_int_eq(skp_runs_latest(runs + 1, 1), 0);
}
END_TEST

/* ------------------------------------------------------------------------------------------------------------------ */

START_TEST(names_and_entries) {
  skp_model_head head;
  skp_entry e;
  size_t n = 0;
  ck_assert_int_eq(skp_find_name("resnet18"), SKP_NAMES_NETWORK);
  ck_assert_int_eq(skp_find_name("digits"), SKP_NAMES_DATA);
  ck_assert_int_eq(skp_find_name(folder), SKP_NAMES_DATA);
  ck_assert_int_eq(skp_find_name("no such thing"), SKP_NAMES_NOTHING);
  ck_ok(skp_model_peek("identity", &head));
  ck_assert_str_eq(head.data, "digits");
  bool lr = false;
  for (; skp_entry_describe(n, &e); n++) lr = lr || (!strcmp(e.name, "lr") && !strcmp(e.kind, "real"));
  ck_assert(lr && n > 20);
  open_plain(NULL);
  ck_assert_int_eq(skp_model_parameters(model), 10);
  ck_ok(skp_model_check(model));
  ck_ok(skp_model_set(model, "flip", "true"));
  skp_model_leave_images(model);
  char text[16];
  ck_ok(skp_model_get(model, "flip", text, sizeof text));
  ck_assert_str_eq(text, "false");
  ck_assert_str_eq(skp_entry_choice("optimizer", 1), "adam");
  ck_assert_str_eq(skp_entry_choice("schedule", 0), "constant");
  ck_assert_str_eq(skp_entry_choice("data", 0), "digits");
  ck_assert_str_eq(skp_entry_choice("std", 3), "mnist");
  ck_assert_str_eq(skp_entry_choice("precision", 1), "mixed");
  ck_assert_ptr_null(skp_entry_choice("precision", 2));
  ck_assert_ptr_null(skp_entry_choice("lr", 0));
  ck_fails(skp_fail(SKP_IO, "No %s.", "luck"), SKP_IO, "No luck.");
  skp_idle_gpu gpu;
  ck_assert_int_eq(skp_device_idle_gpu(1000, &gpu), 0);
  ck_assert_ptr_null(skp_device_note(1000));
}
END_TEST

START_TEST(costs_and_speed) {
  skp_costs *costs;
  skp_layer l;
  skp_need evaluation, training;
  skp_speed speed;
  open_plain(NULL);
  ck_ok(skp_costs_open(&costs, model));
  ck_assert_uint_eq(skp_costs_layers(costs), 2);
  ck_ok(skp_costs_layer(costs, 1, &l));
  ck_assert_str_eq(l.operation, "linear");
  ck_assert_int_eq(l.parameters, 10);
  ck_assert_int_eq(l.output[0], 4);
  ck_fails(skp_costs_layer(costs, 2, &l), SKP_USAGE, "no layer 2");
  ck_ok(skp_costs_measure(costs, device, &evaluation, &training));
  ck_assert(evaluation.possible && evaluation.fits && training.fits && training.all > evaluation.all);
  ck_assert_int_eq(training.parameters, evaluation.parameters);
  skp_costs_close(costs);
  ck_ok(skp_model_set(model, "batch", "1048576"));
  ck_ok(skp_costs_open(&costs, model));
  ck_ok(skp_costs_layer(costs, 1, &l));
  ck_assert_int_eq(l.output[0], 1048576);
  skp_costs_close(costs);
  ck_ok(skp_model_set(model, "batch", "4"));
  ck_ok(skp_bench(session, &(skp_bench_options){.samples = 2, .layers = 1, .table = in_folder("layers.csv")}, &speed));
  ck_assert(speed.img_per_s > 0 && speed.best_img_per_s >= speed.img_per_s && speed.loss > 0 && speed.batch == 4);
  ck_assert_uint_gt(speed.n_layers, 1);
  for (size_t i = 1; i < speed.n_layers; i++) ck_assert(speed.layers[i - 1].seconds >= speed.layers[i].seconds);
  int64_t launches = 0;
  for (size_t i = 0; i < speed.n_layers; i++) launches += (int64_t)speed.layers[i].n_launches;
  ck_assert_int_eq(speed.launches, launches);
  ck_assert_int_eq(speed.ops, (int64_t)speed.n_layers);
  char *table = text_of(in_folder("layers.csv")), *line = table;
  ck_assert_ptr_eq(strstr(table, "layer,operation,method,shapes,milliseconds,share,gflops,launches\n"), table);
  for (size_t i = 0; i < speed.n_layers; i++) {
    line = strchr(line, '\n') + 1;
    ck_assert_int_eq(strncmp(line, speed.layers[i].layer, strlen(speed.layers[i].layer)), 0);
  }
  ck_assert_str_eq(strchr(line, '\n'), "\n");
  free(table);
  ck_fails(skp_bench(session, &(skp_bench_options){.samples = 1, .layers = 1, .table = in_folder("nowhere/layers.csv")},
                     &speed),
           SKP_IO, "nowhere/layers.csv");
}
END_TEST

START_TEST(rates_and_kernels) {
  skp_data *data = wrap(&as_bytes);
  skp_lr_search found;
  int passed, failed;
  float before[8], after[8];
  open_plain(NULL);
  ck_ok(skp_parameter_read(session, "fc.weight", before, 8));
  ck_ok(skp_find_lr(session, data, &(skp_lr_options){.seed = 1, .steps = 30, .curve = in_folder("lr.csv")}, &found));
  ck_assert(found.n > 1 && found.at[1].lr > found.at[0].lr);
  ck_ok(skp_parameter_read(session, "fc.weight", after, 8));
  ck_assert_mem_eq(before, after, sizeof before);
  ck_assert_int_eq(access(in_folder("lr.csv"), F_OK), 0);
  FILE *to = fopen(in_folder("selftest"), "w");
  ck_ok(skp_selftest(device, &(skp_selftest_options){.op = "relu", .quick = 1, .to = to}, &passed, &failed));
  fclose(to);
  ck_assert(passed > 0 && !failed);
  skp_data_close(data);
}
END_TEST

START_TEST(pictures_by_name) {
  skp_pictures *p;
  skp_picture picture;
  char command[512], path[80];
  float predictions[4];
  open_plain(NULL);
  snprintf(command, sizeof command,
           "mkdir -p %s/album && cp \"$SKP_SOURCE_DIR/tests/fuzz/corpus/image/grey.png\" %s/album/1.png && "
           "echo none >%s/album/2.png",
           folder, folder, folder);
  ck_assert_int_eq(system(command), 0);
  snprintf(path, sizeof path, "%s", in_folder("album"));
  ck_ok(skp_pictures_open(&p, model, (const char *[]){path}, 1, NULL));
  ck_assert_uint_eq(skp_pictures_count(p), 2);
  ck_ok(skp_pictures_predict(p, session, SKP_PROBABILITIES, predictions));
  ck_ok(skp_pictures_describe(p, 0, &picture));
  ck_assert_ptr_null(picture.error);
  ck_assert_float_eq_tol(predictions[0] + predictions[1], 1, 1e-6f);
  ck_ok(skp_pictures_describe(p, 1, &picture));
  ck_assert_ptr_nonnull(picture.error);
  ck_assert_int_eq(picture.why, SKP_FORMAT);
  ck_assert(isnan(predictions[2]) && isnan(predictions[3]));
  ck_fails(skp_pictures_describe(p, 2, &picture), SKP_USAGE, "picture 2");
  skp_pictures_close(p);
}
END_TEST

static const char *called(const char *name) { return strcmp(name, "out") == 0 ? "--out" : name; }

/* What texts call options is the program's to say. */
START_TEST(options_by_the_names_of_the_program) {
  skp_data *data = wrap(&as_bytes);
  open_plain(NULL);
  ck_fails(skp_train(session, data, &(skp_training){.out = ""}, NULL), SKP_USAGE, "out wants");
  ck_ok(skp_host_set(&(skp_host_options){.call = called}));
  ck_fails(skp_train(session, data, &(skp_training){.out = ""}, NULL), SKP_USAGE, "--out wants");
  ck_ok(skp_host_set(NULL));
  skp_leave();
  skp_data_close(data);
}
END_TEST

START_TEST(json_of_any_bytes) {
  char text[64] = "";
  FILE *to = fopen(in_folder("json"), "w+");
  ck_ok(skp_print_json(to, "{\"name\":\"a\xff\"}"));
  rewind(to);
  ck_assert_ptr_nonnull(fgets(text, sizeof text, to));
  ck_assert_str_eq(text, "{\"name\":\"a\xef\xbf\xbd\"}\n");
  fclose(to);
}
END_TEST

int main(void) {
  TCase *tests = tcase_create("tools");
  tcase_add_test(tests, a_run_step_by_step);
  tcase_add_test(tests, runs_by_seed);
  tcase_add_test(tests, a_report_says_where_it_errs);
  tcase_add_test(tests, runs_are_shown_together);
  tcase_add_test(tests, what_is_no_run_is_not_shown);
  tcase_add_test(tests, runs_that_go_on);
  tcase_add_test(tests, names_and_entries);
  tcase_add_test(tests, costs_and_speed);
  tcase_add_test(tests, rates_and_kernels);
  tcase_add_test(tests, pictures_by_name);
  tcase_add_test(tests, options_by_the_names_of_the_program);
  tcase_add_test(tests, json_of_any_bytes);
  return run_tests(tests);
}
