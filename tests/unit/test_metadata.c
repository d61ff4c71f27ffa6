/* test_metadata.c: what a checkpoint says beside its weights, where that cannot be. SPDX-License-Identifier: MIT */
#include "io/safetensors.h"
#include "step.h"
#include "train/checkpoint/metadata.h"
#include <unistd.h>

/* Writes the metadata of a small network, some of it replaced: 1 replaces the recipe's entry `name` by that JSON, 0
 * the metadata's. */
static void write_changed(const char *path, int in_recipe, const char *name, const char *value) {
  char *names[] = {(char[]){"cat"}, (char[]){"dog"}};
  struct skp_model *m = step_parse("return nn.linear(nn.flatten(x), 3)");
  struct skp__metadata meta = {.n = 0};
  ck_ok(skp__metadata_make(&meta, m, &(struct skp_checkpoint_extra){.class_names = names, .classes = 2}));
  for (size_t i = 0; i < meta.n; i++) {
    if (strcmp(meta.at[i].key, in_recipe ? "recipe" : name) != 0) continue;
    cJSON *json = cJSON_Parse(meta.at[i].value);
    if (in_recipe) ck_assert(cJSON_ReplaceItemInObject(json, name, cJSON_CreateRaw(value)));
    free(meta.at[i].value);
    meta.at[i].value = in_recipe ? cJSON_PrintUnformatted(json) : strdup(value);
    cJSON_Delete(json);
  }
  ck_ok(skp__st_write(path, NULL, 0, meta.at, meta.n));
  skp__metadata_free(&meta);
  skp__model_destroy(m);
}

static skp_status read_changed(int in_recipe, const char *name, const char *value) {
  char path[64];
  struct skp_st_file f;
  struct skp_model *m;
  struct skp_labels labels = {.names = NULL};
  snprintf(path, sizeof path, "/tmp/skp_test_%ld.safetensors", (long)getpid());
  write_changed(path, in_recipe, name, value);
  ck_ok(skp__st_read(&f, path));
  skp_status status = skp__metadata_model(&m, &labels, &f, path);
  ck_assert((m != NULL) == (status == SKP_OK));
  skp__labels_free(&labels);
  skp__model_destroy(m);
  skp__st_free(&f);
  unlink(path);
  return status;
}

/* The file is wrong, not the call: never SKP_USAGE. */
static const struct {
  int in_recipe;
  const char *name, *value, *say;
} wrong_metadata[] = {
    {1, "size", "1000000", "The size of the input is from 1 to 16384, not 1000000"},
    {1, "size", "-5", "size is not the network's, which is 6"},
    {1, "size", "6.5", "size is not the network's, which is 6"},
    {1, "size", "\"six\"", "size is not the network's, which is 6"},
    {1, "channels", "-1", "channels is not the network's, which is 2"},
    {1, "classes", "1", "classes is not the network's, which is 3"},
    {1, "mean", "[0,0,0]", "take one number or one a channel: 2 here"},
    {1, "std", "[0]", "std is numbers from"},
    {1, "optimizer", "\"relu\"", "There is no optimizer \"relu\""},
    {1, "precision", "\"half\"", "There is no precision \"half\""},
    {1, "epochs", "-1", "epochs is a whole number from"},
    {0, "settings", "{\"depth\":\"34\"}", "the model in /tmp/skp_test_"},
    {0, "classes", "[\"a\",\"b\",\"c\",\"d\"]", "names 4 classes, but its network has 3"},
};

START_TEST(wrong_metadata_are_the_files) {
  ck_fails(read_changed(wrong_metadata[_i].in_recipe, wrong_metadata[_i].name, wrong_metadata[_i].value), SKP_FORMAT,
           wrong_metadata[_i].say);
}
END_TEST

/* What is not wrong: as many names as classes, fewer, none. */
START_TEST(right_metadata) {
  ck_ok(read_changed(0, "classes", "[\"a\",\"b\",\"c\"]"));
  ck_ok(read_changed(0, "classes", "[\"a\"]"));
  ck_ok(read_changed(0, "classes", "[]"));
  ck_ok(read_changed(1, "size", "6"));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("metadata");
  TCase *c = tcase_create("metadata");
  tcase_set_timeout(c, 60);
  tcase_add_loop_test(c, wrong_metadata_are_the_files, 0, sizeof wrong_metadata / sizeof *wrong_metadata);
  tcase_add_test(c, right_metadata);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
