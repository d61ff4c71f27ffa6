/* test_safetensors.c: what is written can be read back; hostile files get an error that names the defect.
 * SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "io/safetensors.h"
#include "test.h"
#include <unistd.h>

/* ---- hostile files ----------------------------------------------------------------------------------------------- */

/* Parses a file with this header and `data` bytes after it. */
static skp_status parse(struct skp_st_file *f, const char *header, size_t data) {
  size_t n = strlen(header);
  unsigned char *bytes = calloc(1, 8 + n + data);
  for (size_t i = 0; i < 4; i++) bytes[i] = (unsigned char)(n >> 8 * i);
  memcpy(bytes + 8, header, n);
  skp_status status = skp__st_parse(f, bytes, (int64_t)(8 + n + data), "FILE");
  free(bytes);
  return status;
}

#define T(name, dtype, shape, offsets)                                                                                 \
  "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

static const struct {
  const char *header;
  size_t data;
  const char *text; /* part of the error; NULL: the file is sound */
} files[] = {
    /* sound */
    {"{}", 0, NULL},
    {"{}   \n", 0, NULL},
    {"{" T("a", "F32", "[2]", "[0,8]") "}", 8, NULL},
    {"{" T("b", "F32", "[1]", "[8,12]") "," T("a", "I64", "[]", "[0,8]") "}", 12, NULL},
    {"{" T("a", "F32", "[0,3]", "[0,0]") "," T("b", "F32", "[0]", "[4,4]") "," T("c", "F32", "[]", "[0,4]") "}", 4,
     NULL},
    {"{" T("ein Gewicht: \u00e4\u2211", "BF16", "[1,1,1,1,1,1,1,1]", "[0,2]") "}", 2, NULL},
    {"{\"__metadata__\":{\"a\":\"b\\n\"}}", 0, NULL},
    {"{" T("a\\\\u0000", "F32", "[1]", "[0,4]") "}", 4, NULL},
    {"{\"a\":{\"later\":[1],\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, NULL},
    /* not what it should be */
    {"", 0, "not a JSON object"},
    {"[]", 0, "not a JSON object"},
    {" {}", 0, "not a JSON object"},
    {"\xef\xbb\xbf{}", 0, "not a JSON object"},
    {"{", 0, "not valid JSON"},
    {"{\"a\":1,", 0, "not valid JSON"},
    {"{\"a\":\"", 0, "not valid JSON"},
    {"{}{}", 0, "text follows"},
    {"{} x", 0, "text follows"},
    {"{\"a\":1}", 0, "'a' is not described"},
    {"{\"\xff\":1}", 0, "not UTF-8"},
    {"{\"\xc0\x80\":1}", 0, "not UTF-8"},
    {"{\"\xed\xa0\x80\":1}", 0, "not UTF-8"},
    {"{\"\xf4\x90\x80\x80\":1}", 0, "not UTF-8"},
    {"{\"\xe2\x88", 0, "not UTF-8"},
    {"{" T("a\\u0000b", "F32", "[1]", "[0,4]") "}", 4, "U+0000"},
    {"{" T("a\\u001b[2J", "F32", "[1]", "[0,4]") "}", 4, "control character"},
    {"{\"__metadata__\":[]}", 0, "__metadata__ is not an object"},
    {"{\"__metadata__\":{\"a\":1}}", 0, "'a' in __metadata__ is not a text"},
    {"{\"__metadata__\":{\"a\":\"\",\"a\":\"\"}}", 0, "'a' stands twice"},
    {"{\"__metadata__\":{},\"__metadata__\":{}}", 0, "'__metadata__' stands twice"},
    {"{" T("a", "F32", "[1]", "[0,4]") "," T("a", "F32", "[1]", "[4,8]") "}", 8, "'a' stands twice"},
    {"{\"a\":{\"dtype\":\"U8\",\"dtype\":\"I8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1,
     "lacks a single text 'dtype'"},
    /* dtype and shape */
    {"{" T("a", "F31", "[1]", "[0,4]") "}", 4, "unknown dtype 'F31'"},
    {"{" T("a", "f32", "[1]", "[0,4]") "}", 4, "unknown dtype 'f32'"},
    {"{" T("a", "", "[1]", "[0,4]") "}", 4, "unknown dtype ''"},
    {"{\"a\":{\"dtype\":4,\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "lacks a single text 'dtype'"},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":1,\"data_offsets\":[0,1]}}", 1, "lacks a single list 'shape'"},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1]}}", 1, "lacks a single 'data_offsets'"},
    {"{" T("a", "F32", "[-1]", "[0,4]") "}", 4, "dimension 0 of tensor 'a' is not a whole number"},
    {"{" T("a", "F32", "[1,0.5]", "[0,4]") "}", 4, "dimension 1"},
    {"{" T("a", "F32", "[1,\"1\"]", "[0,4]") "}", 4, "dimension 1"},
    {"{" T("a", "F32", "[1e400]", "[0,4]") "}", 4, "dimension 0"},
    {"{" T("a", "F32", "[9007199254740994]", "[0,4]") "}", 4, "dimension 0"},
    {"{" T("a", "F32", "[18446744073709551616]", "[0,4]") "}", 4, "dimension 0"},
    {"{" T("a", "F32", "[4294967296,4294967296]", "[0,0]") "}", 0, "overflows"},
    {"{" T("a", "F64", "[2147483648,1073741824]", "[0,0]") "}", 0, "overflows"},
    {"{" T("a", "U8", "[1,1,1,1,1,1,1,1,1]", "[0,1]") "}", 1, "more than 8 dimensions"},
    /* places */
    {"{" T("a", "F32", "[1]", "[0,4,4]") "}", 4, "two whole numbers"},
    {"{" T("a", "F32", "[1]", "[0]") "}", 4, "two whole numbers"},
    {"{" T("a", "F32", "[1]", "[-4,0]") "}", 4, "two whole numbers"},
    {"{" T("a", "F32", "[1]", "[0.5,4.5]") "}", 8, "two whole numbers"},
    {"{" T("a", "F32", "[1]", "[4,0]") "}", 4, "before its begin"},
    {"{" T("a", "F32", "[2]", "[0,8]") "}", 7, "truncated"},
    {"{" T("a", "F32", "[1]", "[9007199254740988,9007199254740992]") "}", 4, "truncated"},
    {"{" T("a", "F32", "[2]", "[0,4]") "}", 4, "need 8"},
    {"{" T("a", "F32", "[1]", "[0,4]") "," T("b", "F32", "[1]", "[2,6]") "}", 6, "'b' overlaps 'a'"},
    {"{" T("a", "F32", "[1]", "[0,4]") "," T("b", "F32", "[1]", "[0,4]") "}", 4, "overlaps"},
    {"{" T("a", "F32", "[1]", "[0,4]") "," T("z", "F32", "[0]", "[2,2]") "}", 4, "'z' overlaps 'a'"},
    {"{" T("a", "F32", "[1]", "[4,8]") "}", 8, "hole of 4 bytes before tensor 'a'"},
    {"{" T("a", "F32", "[1]", "[0,4]") "}", 7, "3 bytes follow the last tensor"},
    {"{}", 1, "1 bytes follow"},
};

START_TEST(hostile) {
  struct skp_st_file f;
  if (files[_i].text) {
    ck_fails(parse(&f, files[_i].header, files[_i].data), SKP_FORMAT, files[_i].text);
    ck_assert_msg(!strncmp(skp_error_message(), "FILE", 4), "%s", skp_error_message());
    ck_assert(!f.memory && !f.tensors && !f.metas);
  } else
    ck_ok(parse(&f, files[_i].header, files[_i].data));
  skp__st_free(&f);
}
END_TEST

START_TEST(lying_length) {
  static const char length[][9] = {"\3\0\0\0\0\0\0\0", "\1\0\0\0\0\0\0\x80", "\xff\xff\xff\xff\xff\xff\xff\xff",
                                   "\xf8\xff\xff\xff\xff\xff\xff\xff"};
  struct skp_st_file f;
  for (size_t i = 0; i < sizeof length / sizeof *length; i++) {
    char bytes[10];
    memcpy(bytes, length[i], 8);
    memcpy(bytes + 8, "{}", 2);
    ck_fails(skp__st_parse(&f, bytes, 10, "FILE"), SKP_FORMAT, "truncated");
  }
  for (int size = 0; size < 8; size++)
    ck_fails(skp__st_parse(&f, "\0\0\0\0\0\0\0", size, "FILE"), SKP_FORMAT, "no safetensors file");
  /* 101 MB of header that are there */
  int64_t size = 101 * 1000 * 1000 + 8;
  char *bytes = malloc((size_t)size);
  memset(bytes, ' ', (size_t)size);
  for (int i = 0; i < 8; i++) bytes[i] = (char)((size - 8) >> 8 * i & 0xff);
  bytes[8] = '{';
  bytes[9] = '}';
  ck_fails(skp__st_parse(&f, bytes, size, "FILE"), SKP_FORMAT, "at most 100000000");
  free(bytes);
}
END_TEST

START_TEST(deep) {
  enum { DEPTH = 100000 };
  char *header = malloc(DEPTH + 16);
  strcpy(header, "{\"a\":");
  memset(header + 5, '[', DEPTH);
  header[5 + DEPTH] = 0;
  struct skp_st_file f;
  ck_fails(parse(&f, header, 0), SKP_FORMAT, "not valid JSON");
  free(header);
}
END_TEST

/* Two bytes of a list take some hundred as values: as many as no network has are not parsed, those of a text do not
 * count. */
START_TEST(many_values) {
  enum { VALUES = 3 << 20 };
  static const struct {
    const char *head, *tail, *text;
  } forms[] = {
      {"{\"a\":[0", "]}", "more than 2097152 values"},
      {"{\"__metadata__\":{\"\\\"\":\"", "\"}}", NULL},
  };
  struct skp_st_file f;
  char *header = malloc(2 * VALUES + 64);
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
    const size_t head = strlen(forms[i].head);
    memcpy(header, forms[i].head, head);
    for (size_t k = 0; k < VALUES; k++) memcpy(header + head + 2 * k, ",0", 2);
    strcpy(header + head + 2 * VALUES, forms[i].tail);
    if (forms[i].text)
      ck_fails(parse(&f, header, 0), SKP_FORMAT, forms[i].text);
    else
      ck_ok(parse(&f, header, 0));
    skp__st_free(&f);
  }
  free(header);
}
END_TEST

START_TEST(nul_byte) {
  static const char bytes[] = "\2\0\0\0\0\0\0\0{\0";
  struct skp_st_file f;
  ck_fails(skp__st_parse(&f, bytes, 10, "FILE"), SKP_FORMAT, "byte 1 of the header is not UTF-8");
}
END_TEST

#ifdef _WIN32
static const char of_a_folder[] = "Cannot open /tmp"; /* where folders are not opened as files are */
#else
static const char of_a_folder[] = "not a regular file";
#endif

START_TEST(unreadable) {
  struct skp_st_file f;
  ck_fails(skp__st_read(&f, "/nowhere/x.safetensors"), SKP_IO, "/nowhere/x.safetensors");
  ck_fails(skp__st_read(&f, "/tmp"), SKP_IO, of_a_folder);
  skp__st_free(&f);
}
END_TEST

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static char path[64];

static void choose_path(void) { snprintf(path, sizeof path, "/tmp/skp_test_%ld.safetensors", (long)getpid()); }
static void remove_path(void) { unlink(path); }

static const float w[6] = {1, 2, 3, 4, 5, -6.5f};
static const int64_t steps = INT64_C(1) << 40;
static struct skp_st_tensor some[] = {
    {.name = (char[]){"l.weight"}, .dtype = "F32", .rank = 2, .dim = {2, 3}, .data = w},
    {.name = (char[]){"l.empty"}, .dtype = "F32", .rank = 2, .dim = {0, 3}},
    {.name = (char[]){"bytes"}, .dtype = "U8", .rank = 1, .dim = {3}, .data = "abc"},
    {.name = (char[]){"steps"}, .dtype = "I64", .data = &steps},
};
static const size_t n_some = sizeof some / sizeof *some;

START_TEST(round_trip) {
  struct skp_st_meta meta[] = {{(char[]){"source"}, (char[]){"x = \"\\\x01\n\t\"  -- \xc3\xa4 \xe4"}},
                               {(char[]){"empty"}, (char[]){""}}};
  ck_ok(skp__st_write(path, some, n_some, meta, 2));
  struct skp_st_file f;
  ck_ok(skp__st_read(&f, path));
  ck_assert_uint_eq(f.tensors, n_some);
  ck_assert_str_eq(f.tensor[0].name, "steps"); /* widest first, then by name */
  ck_assert_str_eq(f.tensor[1].name, "l.empty");
  ck_assert_str_eq(f.tensor[3].name, "bytes");
  for (size_t i = 0; i < n_some; i++) {
    const struct skp_st_tensor *t = skp__st_find(&f, some[i].name);
    ck_assert_ptr_nonnull(t);
    ck_assert_str_eq(t->dtype, some[i].dtype);
    ck_assert_int_eq(t->rank, some[i].rank);
    ck_assert_mem_eq(t->dim, some[i].dim, sizeof t->dim);
    if (some[i].data) ck_assert_mem_eq(t->data, some[i].data, (size_t)t->bytes);
  }
  ck_assert_ptr_null(skp__st_find(&f, "l"));
  ck_assert_str_eq(skp__st_meta(&f, "source"), "x = \"\\\x01\n\t\"  -- \xc3\xa4 \xef\xbf\xbd");
  ck_assert_str_eq(skp__st_meta(&f, "empty"), "");
  ck_assert_ptr_null(skp__st_meta(&f, "other"));
  ck_assert_int_eq(((const char *)f.tensor[0].data - (const char *)f.memory) % 8, 0);
  skp__st_free(&f);
}
END_TEST

START_TEST(same_bytes) {
  void *first, *second;
  int64_t n, m;
  struct skp_st_tensor turned[sizeof some / sizeof *some];
  for (size_t i = 0; i < n_some; i++) turned[i] = some[n_some - 1 - i];
  ck_ok(skp__st_write(path, some, n_some, NULL, 0));
  ck_ok(skp__file_read(&first, &n, path, 1 << 20));
  ck_ok(skp__st_write(path, turned, n_some, NULL, 0));
  ck_ok(skp__file_read(&second, &m, path, 1 << 20));
  ck_assert_int_eq(n, m);
  ck_assert_mem_eq(first, second, (size_t)n);
  free(first);
  free(second);
}
END_TEST

START_TEST(nothing_to_write) {
  struct skp_st_file f;
  ck_ok(skp__st_write(path, NULL, 0, NULL, 0));
  ck_ok(skp__st_read(&f, path));
  ck_assert_uint_eq(f.tensors, 0);
  skp__st_free(&f);
}
END_TEST

START_TEST(refused_to_write) {
  struct skp_st_tensor pair[] = {some[0], some[2]}, bad;
  pair[1].name = pair[0].name;
  ck_fails(skp__st_write(path, pair, 2, NULL, 0), SKP_FORMAT, "'l.weight' stands twice");
  bad = some[0];
  bad.name = (char[]){"\xe4"};
  ck_fails(skp__st_write(path, &bad, 1, NULL, 0), SKP_INTERNAL, "not valid UTF-8");
  bad = some[0];
  bad.name = (char[]){"__metadata__"};
  ck_fails(skp__st_write(path, &bad, 1, NULL, 0), SKP_INTERNAL, "reserved");
  bad = some[0];
  strcpy(bad.dtype, "F31");
  ck_fails(skp__st_write(path, &bad, 1, NULL, 0), SKP_INTERNAL, "unknown dtype");
  bad = some[0];
  bad.dim[0] = -2;
  ck_fails(skp__st_write(path, &bad, 1, NULL, 0), SKP_INTERNAL, "impossible shape");
  bad.dim[0] = INT64_MAX / 2;
  ck_fails(skp__st_write(path, &bad, 1, NULL, 0), SKP_INTERNAL, "impossible shape");
  ck_assert(!skp__file_exists(path));
  ck_fails(skp__st_write("/nowhere/x", some, 1, NULL, 0), SKP_IO, "/nowhere/x");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("safetensors");
  TCase *reading = tcase_create("reading"), *writing = tcase_create("writing");
  tcase_add_loop_test(reading, hostile, 0, sizeof files / sizeof *files);
  tcase_add_test(reading, lying_length);
  tcase_add_test(reading, deep);
  tcase_add_test(reading, many_values);
  tcase_add_test(reading, nul_byte);
  tcase_add_test(reading, unreadable);
  tcase_add_checked_fixture(writing, choose_path, remove_path);
  tcase_add_test(writing, round_trip);
  tcase_add_test(writing, same_bytes);
  tcase_add_test(writing, nothing_to_write);
  tcase_add_test(writing, refused_to_write);
  suite_add_tcase(suite, reading);
  suite_add_tcase(suite, writing);
  return skp__test_main(suite);
}
