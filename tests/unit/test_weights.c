/* test_weights.c: weights as torch.save writes them (made by PyTorch 2.15, some then edited): the right numbers, or an
 * error that names the defect. SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "io/pickle.h"
#include "io/weights.h"
#include "test.h"
#include <math.h>

/* A file of the fuzzing corpus. */
static skp_status read_sample(struct skp_st_file *f, const char *name) {
  char path[4096];
  snprintf(path, sizeof path, "%s/tests/fuzz/corpus/torch/%s", getenv("SKP_SOURCE_DIR"), name);
  return skp__weights_read(f, path);
}

/* Every sound file holds these, under these names. */
static const float weight[6] = {-1, -0.5f, 0, 0.5f, 1, 1.5f}, bias[2] = {0.5f, -2};

static void check_tensor(const struct skp_st_file *f, const char *name, const float *want, int rank, int64_t rows,
                         int64_t columns) {
  float got[6];
  const struct skp_st_tensor *t = skp__st_find(f, name);
  ck_assert_ptr_nonnull(t);
  ck_assert_int_eq(t->rank, rank);
  ck_assert_int_eq(t->dim[0], rows);
  if (rank > 1) ck_assert_int_eq(t->dim[1], columns);
  ck_ok(skp__weights_floats(got, t));
  ck_assert_mem_eq(got, want, (size_t)(rows * columns) * sizeof *want);
}

static const struct {
  const char *file, *prefix, *dtype;
} sound[] = {
    {"plain", "", "F32"},      {"protocol4", "", "F32"}, {"half", "", "F16"},
    {"bfloat", "", "BF16"},    {"double", "", "F64"},    {"prefix", "module.", "F32"},
    {"wrapped", "", "F32"},    {"strided", "", "F32"},   {"shared", "", "F32"},
    {"parameters", "", "F32"}, {"swapped", "", "F32"},   {"numpy", "", "F32"},
    {"elsewhere", "", "F32"},  {"average", "", "F32"},   {"class", "", "F32"},
    {"stride", "", "F32"}, /* of 2^63 - 1, along one value */
};

START_TEST(sound_files_give_their_numbers) {
  struct skp_st_file f;
  char name[64];
  ck_ok(read_sample(&f, sound[_i].file));
  ck_assert_uint_eq(f.tensors, 3);
  snprintf(name, sizeof name, "%sa.weight", sound[_i].prefix);
  check_tensor(&f, name, weight, 2, 2, 3);
  ck_assert_str_eq(skp__st_find(&f, name)->dtype, sound[_i].dtype);
  snprintf(name, sizeof name, "%sa.bias", sound[_i].prefix);
  check_tensor(&f, name, bias, 1, 2, 1);
  snprintf(name, sizeof name, "%sn", sound[_i].prefix);
  ck_assert_str_eq(skp__st_find(&f, name)->dtype, "I64");
  ck_assert_int_eq(*(const int64_t *)skp__st_find(&f, name)->data, 7);
  skp__st_free(&f);
}
END_TEST

static const struct {
  const char *file;
  skp_status status;
  const char *text;
} refused[] = {
    {"old", SKP_UNSUPPORTED,
     "before PyTorch 1.6. If you trust where it is from, this line of Python converts it: import torch; torch.save("},
    {"old0", SKP_UNSUPPORTED, "before PyTorch 1.6."},
    {"old4", SKP_UNSUPPORTED, "before PyTorch 1.6."},
    {"protocol0", SKP_FORMAT, "protocol 0 or 1"},
    {"single", SKP_UNSUPPORTED, "a single tensor, not a dictionary"},
    {"pickled", SKP_UNSUPPORTED,
     "pickled is a pickle, but none of torch.save. If you trust where it is from, this line of Python"},
    {"pointer", SKP_UNSUPPORTED, "a pointer of Git LFS"},
    {"page", SKP_UNSUPPORTED, "a web page"},
    {"keras", SKP_UNSUPPORTED, "an HDF5 file"},
    {"gguf", SKP_UNSUPPORTED, "a GGUF file"},
    {"gzip", SKP_UNSUPPORTED, "compressed with gzip"},
    {"script", SKP_UNSUPPORTED, "TorchScript archive"},
    {"module", SKP_UNSUPPORTED, "(torch.nn.modules.linear Linear), not a dictionary of tensors. If you trust"},
    {"list", SKP_UNSUPPORTED, "a list, not a dictionary of tensors"},
    {"call", SKP_UNSUPPORTED, "a dictionary without tensors"},
    {"compressed", SKP_UNSUPPORTED, "byteorder is compressed"},
    {"no_order", SKP_FORMAT, "neither little nor big"},
    {"no_pickle", SKP_FORMAT, "no data.pkl"},
    {"missing", SKP_FORMAT, "the archive lacks data/1"},
    {"short", SKP_FORMAT, "data/0 has 20 bytes; its values need 24"},
    {"lying_shape", SKP_FORMAT, "the shape of a.weight does not fit its values"},
    {"expanded", SKP_FORMAT, "a.weight repeats its values too often"},
    {"path_key", SKP_UNSUPPORTED, "kept in a way that is not known"},
    {"truncated", SKP_FORMAT, "truncated"},
    {"nothing", SKP_FORMAT, "truncated"},
};

START_TEST(other_files_are_named) {
  struct skp_st_file f;
  ck_fails(read_sample(&f, refused[_i].file), refused[_i].status, refused[_i].text);
  ck_assert_ptr_null(f.tensor);
}
END_TEST

START_TEST(numbers_that_are_none_are_named) {
  struct skp_st_file f;
  float values[6];
  ck_ok(read_sample(&f, "nan"));
  ck_fails(skp__weights_floats(values, skp__st_find(&f, "a.weight")), SKP_NUMERIC, "a.weight[1, 2] is not a number");
  ck_fails(skp__weights_floats(values, skp__st_find(&f, "n")), SKP_FORMAT, "n has the type I64");
  skp__st_free(&f);
  ck_ok(read_sample(&f, "huge"));
  ck_fails(skp__weights_floats(values, skp__st_find(&f, "a.bias")), SKP_NUMERIC, "a.bias[1] is -1e+300, too large");
  skp__st_free(&f);
}
END_TEST

/* Strides of 0, and types whose values are not read. */
START_TEST(unusual_tensors_are_kept) {
  static const float half[6] = {0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f};
  static const char *const unread[] = {"c", "f", "q"};
  struct skp_st_file f;
  ck_ok(read_sample(&f, "repeated"));
  check_tensor(&f, "a.weight", half, 2, 2, 3);
  skp__st_free(&f);
  ck_ok(read_sample(&f, "other"));
  check_tensor(&f, "a.weight", weight, 2, 2, 3);
  for (int i = 0; i < 3; i++) {
    const struct skp_st_tensor *t = skp__st_find(&f, unread[i]);
    ck_assert_str_eq(t->dtype, "other");
    ck_assert_int_eq(t->dim[0], 2 + i);
    ck_assert(!skp__weights_real(t));
  }
  skp__st_free(&f);
}
END_TEST

/* A value takes more memory than the byte that makes it. */
START_TEST(endless_pickles_end) {
  enum { MANY = 5 << 20 };
  struct skp_pickle p;
  char *bytes = malloc(MANY);
  ck_assert_ptr_nonnull(bytes);
  memset(bytes, ']', MANY);
  bytes[0] = '\x80';
  bytes[1] = 2;
  ck_fails(skp__pickle_parse(&p, bytes, MANY, "many"), SKP_FORMAT, "more values than weights need");
  skp__pickle_free(&p);
  free(bytes);
}
END_TEST

/* All that half precision has: zeros, the smallest, the largest, infinity, NaN. */
START_TEST(half_precision_in_all_forms) {
  static const struct {
    uint16_t f16, bf16;
    float as_f16, as_bf16;
  } forms[] = {
      {0x0000, 0x0000, 0.0f, 0.0f},
      {0x0001, 0x0001, 0x1p-24f, 0x1p-133f},
      {0x03ff, 0x0080, 1023 * 0x1p-24f, 0x1p-126f},
      {0x0400, 0x3f80, 0x1p-14f, 1.0f},
      {0xbc01, 0xbf81, -1.0009765625f, -1.0078125f},
      {0x7bff, 0x7f7f, 65504.0f, 0x1.fep127f},
  };
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
    struct skp_st_tensor t = {.name = "t", .dtype = "F16", .bytes = 2, .data = &forms[i].f16};
    float got;
    ck_ok(skp__weights_floats(&got, &t));
    ck_assert_float_eq(got, forms[i].as_f16);
    strcpy(t.dtype, "BF16");
    t.data = &forms[i].bf16;
    ck_ok(skp__weights_floats(&got, &t));
    ck_assert_float_eq(got, forms[i].as_bf16);
  }
  uint16_t infinite = 0xfc00;
  struct skp_st_tensor t = {.name = "t", .dtype = "F16", .bytes = 2, .data = &infinite};
  ck_fails(skp__weights_floats((float[1]){0}, &t), SKP_NUMERIC, "t is infinite");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("weights");
  TCase *files = tcase_create("files");
  tcase_add_loop_test(files, sound_files_give_their_numbers, 0, sizeof sound / sizeof *sound);
  tcase_add_loop_test(files, other_files_are_named, 0, sizeof refused / sizeof *refused);
  tcase_add_test(files, numbers_that_are_none_are_named);
  tcase_add_test(files, unusual_tensors_are_kept);
  tcase_add_test(files, endless_pickles_end);
  tcase_add_test(files, half_precision_in_all_forms);
  suite_add_tcase(suite, files);
  return skp__test_main(suite);
}
