/* test_idx.c: IDX files as they come, plain and gzip, and as they must not come. SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "data/idx.h"
#include "data/source.h"
#include "folder.h"
#include <unistd.h>
#include <zlib.h>

/* ---- files written by the tests ---------------------------------------------------------------------------------- */

struct bytes {
  uint8_t at[1 << 16];
  size_t n;
};

static void put32(struct bytes *b, uint32_t v) {
  for (int shift = 24; shift >= 0; shift -= 8) b->at[b->n++] = (uint8_t)(v >> shift);
}

static void fill(struct bytes *b, size_t n) {
  for (size_t i = 0; i < n; i++) b->at[b->n++] = (uint8_t)(i * 7);
}

static struct bytes images(uint32_t n, uint32_t H, uint32_t W) {
  struct bytes b = {.n = 0};
  put32(&b, 0x803), put32(&b, n), put32(&b, H), put32(&b, W);
  fill(&b, n * H * W);
  return b;
}

static struct bytes labels(uint32_t n, int classes) {
  struct bytes b = {.n = 0};
  put32(&b, 0x801), put32(&b, n);
  for (uint32_t i = 0; i < n; i++) b.at[b.n++] = (uint8_t)((int)i % classes);
  return b;
}

static struct bytes gzip(struct bytes in) {
  struct bytes out = {.n = 0};
  z_stream z = {.next_in = in.at, .avail_in = (uInt)in.n, .next_out = out.at, .avail_out = sizeof out.at};
  ck_assert_int_eq(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
  out.n = z.total_out;
  deflateEnd(&z);
  return out;
}

static void save(const char *name, struct bytes b) {
  char *path;
  struct skp__file_part part = {b.at, (int64_t)b.n};
  ck_ok(skp__path_join(&path, folder, name));
  ck_ok(skp__file_write_atomic(path, &part, 1));
  free(path);
}

static struct bytes cut(struct bytes b, size_t n) {
  b.n -= n;
  return b;
}

static struct bytes with(struct bytes b, size_t at, uint8_t value) {
  b.at[at] = value;
  return b;
}

static struct bytes longer(struct bytes b) {
  b.at[b.n++] = 0;
  return b;
}

/* ---- sound ones -------------------------------------------------------------------------------------------------- */

static const struct {
  const char *images, *labels;
  bool zip;
} names[] = {
    {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", false},
    {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", true},
    {"train-images.idx3-ubyte", "train-labels.idx1-ubyte", false},
    {"train-images.idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", true},
    {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", true},        /* unpacked in name only */
    {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", false}, /* packed in name only */
};

START_TEST(reads) {
  struct bytes x = images(5, 3, 4), y = labels(5, 3);
  save(names[_i].images, names[_i].zip ? gzip(x) : x);
  save(names[_i].labels, names[_i].zip ? gzip(y) : y);
  struct skp_source *s;
  ck_ok(skp__source_open(&s, folder, SKP_SPLIT_TRAIN));
  ck_assert(s->n == 5 && s->H == 3 && s->W == 4 && s->C == 1 && s->classes == 3);
  ck_assert_str_eq(s->name, folder);
  ck_assert_str_eq(s->class_names[2], "2");
  struct skp_image image = {.H = 0};
  for (int i = 0; i < 5; i++) {
    int32_t label;
    ck_ok(s->image(s, i, &image, &label));
    ck_assert(image.H == 3 && image.W == 4 && image.C == 1);
    ck_assert_mem_eq(image.pixels, x.at + 16 + 12 * i, 12);
    ck_assert_int_eq(label, i % 3);
  }
  skp__image_free(&image);
  skp__source_destroy(s);
}
END_TEST

START_TEST(test_files_are_optional) {
  struct skp_source *s;
  save("train-images-idx3-ubyte", images(2, 2, 2));
  save("train-labels-idx1-ubyte", labels(2, 2));
  ck_ok(skp__source_open(&s, folder, SKP_SPLIT_TEST));
  ck_assert_ptr_null(s);
  save("t10k-images-idx3-ubyte", images(3, 2, 2));
  ck_fails(skp__source_open(&s, folder, SKP_SPLIT_TEST), SKP_FORMAT, "lacks t10k-labels-idx1-ubyte");
  save("t10k-labels-idx1-ubyte.gz", gzip(labels(3, 2)));
  ck_ok(skp__source_open(&s, folder, SKP_SPLIT_TEST));
  ck_assert_int_eq(s->n, 3);
  skp__source_destroy(s);
}
END_TEST

START_TEST(training_files_are_not) {
  struct skp_source *s;
  save("t10k-images-idx3-ubyte", images(3, 2, 2));
  ck_fails(skp__source_open(&s, folder, SKP_SPLIT_TRAIN), SKP_FORMAT, "lacks train-images-idx3-ubyte");
  save("train-images-idx3-ubyte", images(3, 2, 2));
  ck_fails(skp__source_open(&s, folder, SKP_SPLIT_TRAIN), SKP_FORMAT, "lacks train-labels-idx1-ubyte");
}
END_TEST

/* Where torchvision and archives leave them. */
static void save_in(const char *inner, const char *name, struct bytes b) {
  char path[128];
  snprintf(path, sizeof path, "%s/%s", folder, inner);
  ck_ok(skp__folder_create(path));
  snprintf(path, sizeof path, "%s/%s", inner, name);
  save(path, b);
}

START_TEST(lie_deeper) {
  static const char *const inner[] = {"raw", "MNIST/raw", "FashionMNIST/raw", "gzip"};
  struct skp_source *s;
  save_in(inner[_i], "train-images-idx3-ubyte", images(5, 3, 4));
  save_in(inner[_i], "train-labels-idx1-ubyte", labels(5, 3));
  ck_ok(skp__source_open(&s, folder, SKP_SPLIT_TRAIN));
  ck_assert_int_eq(s->n, 5);
  ck_assert_str_eq(s->name, folder);
  skp__source_destroy(s);
  ck_ok(skp__source_open(&s, folder, SKP_SPLIT_TEST));
  ck_assert_ptr_null(s);
  ck_ok(skp__source_open(&s, folder, SKP_SPLIT_VALID));
  ck_assert_ptr_null(s);
}
END_TEST

START_TEST(several_sets) {
  struct skp_source *s;
  save_in("MNIST/raw", "train-images-idx3-ubyte", images(5, 3, 4));
  save_in("KMNIST/raw", "train-images-idx3-ubyte", images(5, 3, 4));
  ck_fails(skp__source_open(&s, folder, SKP_SPLIT_TRAIN), SKP_FORMAT, "/KMNIST/raw, ");
  ck_assert_ptr_nonnull(strstr(skp_error_message(), "/MNIST/raw. Name one of them."));
}
END_TEST

/* Their pictures stand upright; letters count from 1. */
START_TEST(emnist) {
  static const struct {
    const char *name, *first, *last;
    int classes;
  } of[] = {{"letters", "A", "Z", 26}, {"balanced", "0", "t", 47}, {"bymerge", "0", "t", 47},
            {"byclass", "0", "z", 62}, {"digits", "0", "9", 10},   {"mnist", "0", "9", 10}};
  struct bytes x = images(3, 3, 4), y = labels(3, 3);
  const bool letters = _i == 0;
  char name[64], path[128];
  struct skp_source *s;
  struct skp_image image = {.H = 0};
  int32_t label;
  for (int i = 0; letters && i < 3; i++) y.at[8 + i]++;
  snprintf(name, sizeof name, "emnist-%s-train-images-idx3-ubyte.gz", of[_i].name);
  save_in("EMNIST/raw", name, gzip(x));
  snprintf(name, sizeof name, "emnist-%s-train-labels-idx1-ubyte", of[_i].name);
  save_in("EMNIST/raw", name, y);
  ck_ok(skp__source_open(&s, folder, SKP_SPLIT_TRAIN));
  ck_assert(s->n == 3 && s->H == 4 && s->W == 3 && s->classes == of[_i].classes && !s->numbered);
  ck_assert_str_eq(s->class_names[0], of[_i].first);
  ck_assert_str_eq(s->class_names[s->classes - 1], of[_i].last);
  ck_assert_str_eq(s->kind + strlen("EMNIST "), of[_i].name);
  ck_ok(s->image(s, 2, &image, &label));
  ck_assert(label == 2 && image.H == 4 && image.W == 3);
  for (int r = 0; r < 4; r++)
    for (int c = 0; c < 3; c++) ck_assert_int_eq(image.pixels[3 * r + c], x.at[16 + 2 * 12 + 4 * c + r]);
  skp__image_free(&image);
  skp__source_destroy(s);
  save_in("EMNIST/raw", "emnist-digits-test-images-idx3-ubyte", x);
  save_in("EMNIST/raw", "emnist-letters-test-images-idx3-ubyte", x);
  ck_fails(skp__source_open(&s, folder, SKP_SPLIT_TRAIN), SKP_FORMAT, "holds several sets: ");
  snprintf(path, sizeof path, "%s/EMNIST/raw/emnist-%s", folder, of[_i].name); /* as the text advises */
  ck_ok(skp__source_open(&s, path, SKP_SPLIT_TRAIN));
  ck_assert_int_eq(s->n, 3);
  skp__source_destroy(s);
  if (letters) y.at[9] = 0;
  y.at[10] = 200;
  snprintf(name, sizeof name, "emnist-%s-train-labels-idx1-ubyte", of[_i].name);
  save_in("EMNIST/raw", name, y);
  ck_fails(skp__source_open(&s, path, SKP_SPLIT_TRAIN), SKP_FORMAT, letters ? "label 1 is 0; " : "label 2 is 200; ");
}
END_TEST

/* ---- hostile ones ------------------------------------------------------------------------------------------------ */

static struct bytes sound(void) { return images(5, 3, 4); }
static struct bytes empty(void) { return cut(sound(), 76); }
static struct bytes short_header(void) { return cut(sound(), 61); }
static struct bytes header_only(void) { return cut(sound(), 60); }
static struct bytes truncated(void) { return cut(sound(), 1); }
static struct bytes too_long(void) { return longer(sound()); }
static struct bytes wrong_magic(void) { return with(sound(), 0, 1); }
static struct bytes floats(void) { return with(sound(), 2, 0x0d); }
static struct bytes wrong_rank(void) { return with(sound(), 3, 1); }
static struct bytes no_images(void) { return with(sound(), 7, 0); }
static struct bytes no_width(void) { return with(sound(), 15, 0); }
static struct bytes more_images(void) { return with(sound(), 7, 6); }
static struct bytes huge(void) { return with(sound(), 4, 0x7f); }
static struct bytes overflow(void) {
  struct bytes b = sound();
  memset(b.at + 4, 0xff, 12);
  return b;
}
static struct bytes wraps_to_60(void) { /* 2^32 · 2^32 · … would be small in 64 bits */
  struct bytes b = sound();
  for (int i = 0; i < 3; i++) memcpy(b.at + 4 + 4 * i, "\x80\0\0\0", 4);
  return b;
}
static struct bytes wide(void) { return images(1, 1, 20000); }
static struct bytes other_count(void) { return images(4, 3, 4); }
static struct bytes zip_truncated(void) { return cut(gzip(sound()), 12); }
static struct bytes zip_no_trailer(void) { return cut(gzip(sound()), 8); }
static struct bytes zip_bad_crc(void) {
  struct bytes b = gzip(sound());
  b.at[b.n - 8] ^= 1;
  return b;
}
static struct bytes zip_bad_length(void) {
  struct bytes b = gzip(sound());
  b.at[b.n - 1] ^= 1;
  return b;
}
static struct bytes zip_bad_stream(void) { return with(gzip(sound()), 10, 0xff); }
static struct bytes zip_header_only(void) { return cut(gzip(sound()), gzip(sound()).n - 10); }
static struct bytes zip_short(void) { return gzip(truncated()); }
static struct bytes zip_long(void) { return gzip(too_long()); }
static struct bytes zip_lie(void) { return gzip(with(with(sound(), 5, 0x10), 7, 0)); }
static struct bytes zip_bomb(void) { /* 16 KB of content, said to be 12 B a picture for 5, unpacked from few bytes */
  struct bytes b = sound();
  memset(b.at + b.n, 0, 16384);
  b.n += 16384;
  return gzip(b);
}
static struct bytes text(void) {
  struct bytes b = {.n = 20};
  memcpy(b.at, "<html>404 not found</html>", 20);
  return b;
}

static const struct {
  struct bytes (*make)(void);
  const char *text;
} hostile[] = {
    {empty, "is truncated: it has 0 of the header's 16 bytes"},
    {short_header, "is truncated: it has 15 of the header's 16 bytes"},
    {header_only, "holds 0 bytes of values, but its header tells of 60"},
    {truncated, "holds 59 bytes of values, but its header tells of 60"},
    {too_long, "holds 61 bytes of values, but its header tells of 60"},
    {more_images, "holds 60 bytes of values, but its header tells of 72"},
    {wrong_magic, "begins with the bytes 01 00 08 03"},
    {floats, "begins with the bytes 00 00 0d 03"},
    {wrong_rank, "with 3 dimensions begins with 00 00 08 03"},
    {text, "begins with the bytes 3c 68 74 6d"},
    {no_images, "dimension 0 is 0"},
    {no_width, "dimension 2 is 0"},
    {huge, "more than 4 GiB"},
    {overflow, "more than 4 GiB"},
    {wraps_to_60, "more than 4 GiB"},
    {wide, "too large"},
    {other_count, "has 4 images, but"},
    {zip_truncated, "is truncated"},
    {zip_no_trailer, "is truncated"},
    {zip_header_only, "is truncated"},
    {zip_bad_crc, "incorrect data check"},
    {zip_bad_length, "incorrect length check"},
    {zip_bad_stream, "is damaged: "},
    {zip_short, "is truncated: it holds 59 bytes"},
    {zip_long, "goes on after the 60 bytes"},
    {zip_bomb, "goes on after the 60 bytes"},
    {zip_lie, "cannot hold the"},
};

START_TEST(refuses) {
  struct skp_source *s;
  save("train-labels-idx1-ubyte", labels(5, 3));
  save("train-images-idx3-ubyte.gz", hostile[_i].make());
  ck_fails(skp__source_open(&s, folder, SKP_SPLIT_TRAIN), SKP_FORMAT, hostile[_i].text);
  ck_assert_ptr_null(s);
  ck_assert_ptr_nonnull(strstr(skp_error_message(), "train-images-idx3-ubyte.gz"));
}
END_TEST

START_TEST(refuses_labels) {
  struct skp_source *s;
  save("train-images-idx3-ubyte", sound());
  save("train-labels-idx1-ubyte", cut(labels(5, 3), 1));
  ck_fails(skp__source_open(&s, folder, SKP_SPLIT_TRAIN), SKP_FORMAT, "train-labels-idx1-ubyte holds 4 bytes");
  save("train-labels-idx1-ubyte", sound()); /* images in place of labels */
  ck_fails(skp__source_open(&s, folder, SKP_SPLIT_TRAIN), SKP_FORMAT, "with 1 dimension begins with 00 00 08 01");
  save("train-labels-idx1-ubyte", with(labels(5, 3), 8, 255)); /* the greatest label there can be */
  ck_ok(skp__source_open(&s, folder, SKP_SPLIT_TRAIN));
  ck_assert_int_eq(s->classes, 256);
  skp__source_destroy(s);
}
END_TEST

START_TEST(refuses_what_is_no_file) {
  struct skp_idx idx;
  ck_fails(skp__idx_read(&idx, folder, 1), SKP_IO, "not a regular file");
  ck_fails(skp__idx_read(&idx, "/nowhere/labels", 1), SKP_IO, "/nowhere/labels");
}
END_TEST

/* ---- recognition ------------------------------------------------------------------------------------------------- */

START_TEST(unknown_data) {
  struct skp_source *s;
  ck_fails(skp__source_open(&s, "digitz", SKP_SPLIT_TRAIN), SKP_IO, "neither a folder nor a built-in data set");
  ck_fails(skp__source_open(&s, folder, SKP_SPLIT_TRAIN), SKP_FORMAT, "What lies there: nothing.");
  save("b.txt", labels(1, 1));
  save("a.txt", labels(1, 1));
  ck_fails(skp__source_open(&s, folder, SKP_SPLIT_TRAIN), SKP_FORMAT, "What lies there: a.txt, b.txt.");
  ck_fails(skp__source_open(&s, folder, SKP_SPLIT_TEST), SKP_FORMAT, "Looked for: IDX files (train-images-idx3-ubyte");
  for (int i = 0; i < 10; i++) save((const char[]){(char)('c' + i), 0}, labels(1, 1));
  ck_fails(skp__source_open(&s, folder, SKP_SPLIT_TRAIN), SKP_FORMAT, "a.txt, b.txt, c, d, e, f, g, h, …");
  ck_assert_ptr_null(s);
  skp__source_destroy(s);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

int main(void) {
  Suite *suite = suite_create("idx");
  TCase *c = tcase_create("idx");
  tcase_add_checked_fixture(c, make_folder, remove_folder);
  tcase_add_loop_test(c, reads, 0, COUNT(names));
  tcase_add_test(c, test_files_are_optional);
  tcase_add_test(c, training_files_are_not);
  tcase_add_loop_test(c, lie_deeper, 0, 4);
  tcase_add_test(c, several_sets);
  tcase_add_loop_test(c, emnist, 0, 6);
  tcase_add_loop_test(c, refuses, 0, COUNT(hostile));
  tcase_add_test(c, refuses_labels);
  tcase_add_test(c, refuses_what_is_no_file);
  tcase_add_test(c, unknown_data);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
