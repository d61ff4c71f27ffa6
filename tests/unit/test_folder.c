/* test_folder.c: image folders as people have them, damaged pictures, and the memory of decoded ones.
 * SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "base/host.h"
#include "data/damage.h"
#include "data/index.h"
#include "data/loader.h"
#include "folder.h"
#include <spng.h>
#include <sys/stat.h>
#include <turbojpeg.h>
#include <unistd.h>

/* ---- files written by the tests ---------------------------------------------------------------------------------- */

/* Writes a file and the folders above it. */
static void save(const char *name, const void *bytes, size_t n) {
  char path[256];
  snprintf(path, sizeof path, "%s", in(name));
  *strrchr(path, '/') = 0;
  ck_ok(skp__folder_create(path));
  FILE *f = fopen(in(name), "wb");
  ck_assert_ptr_nonnull(f);
  ck_assert_uint_eq(fwrite(bytes, 1, n, f), n);
  fclose(f);
}

enum { MOST = 64 * 64 * 3 };

/* A picture of one colour, grey when C is 1. */
static void jpeg(const char *name, int H, int W, int C, int value) {
  unsigned char pixels[MOST], *at = NULL;
  unsigned long n = 0;
  memset(pixels, value, sizeof pixels);
  tjhandle encoder = tjInitCompress();
  ck_assert_int_eq(tjCompress2(encoder, pixels, W, 0, H, C == 1 ? TJPF_GRAY : TJPF_RGB, &at, &n,
                               C == 1 ? TJSAMP_GRAY : TJSAMP_420, 95, 0),
                   0);
  save(name, at, n);
  tjFree(at);
  tjDestroy(encoder);
}

static void png_of(const char *name, int H, int W, int C, int bits, int value) {
  unsigned char pixels[MOST];
  size_t n;
  int error;
  memset(pixels, value, sizeof pixels);
  spng_ctx *encoder = spng_ctx_new(SPNG_CTX_ENCODER);
  struct spng_ihdr header = {.width = (uint32_t)W, .height = (uint32_t)H, .bit_depth = (uint8_t)bits};
  header.color_type = C == 1 ? SPNG_COLOR_TYPE_GRAYSCALE : SPNG_COLOR_TYPE_TRUECOLOR;
  spng_set_option(encoder, SPNG_ENCODE_TO_BUFFER, 1);
  spng_set_ihdr(encoder, &header);
  ck_assert_int_eq(
      spng_encode_image(encoder, pixels, (size_t)(H * W * C * bits / 8), SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE), 0);
  void *at = spng_get_png_buffer(encoder, &n, &error);
  save(name, at, n);
  free(at);
  spng_ctx_free(encoder);
}

static void png(const char *name, int H, int W, int C, int value) { png_of(name, H, W, C, 8, value); }

/* Leaves the first n bytes of a file. */
static void cut(const char *name, off_t n) { ck_assert_int_eq(truncate(in(name), n), 0); }

static struct skp_source *open_split(skp_split split) {
  struct skp_source *s;
  ck_ok(skp__source_open(&s, folder, split));
  return s;
}

/* Sample i has this label, and pixels near this value. */
static void check(const struct skp_source *s, int64_t i, int H, int W, int label, int value) {
  struct skp_image image = {.H = 0};
  int32_t got, again;
  ck_ok(s->image(s, i, &image, &got));
  ck_ok(s->image(s, i, NULL, &again));
  ck_assert_int_eq(got, label);
  ck_assert_int_eq(again, label);
  ck_assert(image.H == H && image.W == W && image.C == s->C);
  for (int p = 0; p < H * W * s->C; p++) ck_assert_int_le(abs(image.pixels[p] - value), 2);
  skp__image_free(&image);
}

/* ---- sound folders ----------------------------------------------------------------------------------------------- */

static const char *below(const char *part, const char *name) {
  static char path[128];
  snprintf(path, sizeof path, "%s/%s", part, name);
  return path;
}

START_TEST(reads) {
  static const struct {
    const char *train, *other;
    skp_split split;
  } parts[] = {{"train", "test", SKP_SPLIT_TEST},        {"Train", "Testing", SKP_SPLIT_TEST},
               {"training", "val", SKP_SPLIT_VALID},     {"TRAIN", "valid", SKP_SPLIT_VALID},
               {"train", "validation", SKP_SPLIT_VALID}, {"Training", "Val", SKP_SPLIT_VALID}};
  const char *train_name = parts[_i].train;
  char name[64];
  jpeg(below(train_name, "dog/b.JPEG"), 8, 6, 3, 40);
  jpeg(below(train_name, "dog/a.jpg"), 10, 20, 1, 80);
  png(below(train_name, "Cat/x.png"), 5, 5, 3, 120);
  png(below(train_name, "bird/10.PNG"), 7, 9, 1, 160);
  png(below(train_name, "bird/9.png"), 7, 9, 1, 200);
  save(below(train_name, "bird/notes.txt"), "no picture", 10);
  save(below(train_name, "bird/.hidden.png"), "no picture", 10);
  save(below(train_name, "list.txt"), "no class", 8);
  snprintf(name, sizeof name, "%s/dog/z.png", parts[_i].other);
  png(name, 3, 4, 3, 10);
  struct skp_source *train = open_split(SKP_SPLIT_TRAIN), *test = open_split(parts[_i].split);
  ck_assert_ptr_null(open_split(parts[_i].split == SKP_SPLIT_TEST ? SKP_SPLIT_VALID : SKP_SPLIT_TEST));
  char said[300];
  snprintf(said, sizeof said, "Passed over in %s/%s: 2 .txt.\n", folder, train_name);
  ck_assert_str_eq(train->remarks, said);
  ck_assert_ptr_null(test->remarks);
  ck_assert(train->n == 5 && train->H == 0 && train->W == 0 && train->C == 3 && train->classes == 3);
  ck_assert_str_eq(train->name, folder);
  ck_assert_str_eq(train->class_names[0], "Cat");
  ck_assert_str_eq(train->class_names[1], "bird");
  ck_assert_str_eq(train->class_names[2], "dog");
  ck_assert_str_eq(train->name_of(train, 4), "dog/b.JPEG");
  for (int again = 0; again < 2; again++) {
    check(train, 0, 5, 5, 0, 120);
    check(train, 1, 7, 9, 1, 160);
    check(train, 2, 7, 9, 1, 200);
    check(train, 3, 10, 20, 2, 80);
    check(train, 4, 8, 6, 2, 40);
  }
  ck_assert(test->n == 1 && test->H == 3 && test->W == 4 && test->classes == 1);
  check(test, 0, 3, 4, 0, 10);
  skp__source_destroy(train);
  skp__source_destroy(test);
}
END_TEST

/* As torchvision's ImageFolder walks: folders by their paths, then names. Systems' files
 * do not count, loops of links end. */
START_TEST(deep) {
  static const char *const order[] = {"a/9.png",     "a/B/1.png",     "a/b/2.png",  "a/b/link.png",
                                      "a/b-2/0.png", "a/b/c/d/3.png", "b/z/y/x.png"};
  static const char *const others[] = {"a/b/Thumbs.db", "a/desktop.ini", "a/b/notes.TXT", "a/b/c/x.PSD",
                                       "a/b/c/y.psd",   "a/readme",      "a/.hidden.png"};
  enum { N_ORDER = sizeof order / sizeof *order };
  char said[400];
  for (int i = 0; i < N_ORDER; i++)
    if (!strstr(order[i], "link")) png(order[i], 2, 2, 3, 1);
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) save(others[i], "x", 1);
  png("__MACOSX/a/9.png", 2, 2, 3, 1);
  png("a/@eaDir/9.png", 2, 2, 3, 1);
  png("loose.png", 2, 2, 3, 1);
  ck_assert_int_eq(symlink("..", in("a/b/loop")), 0);
  ck_assert_int_eq(symlink("../..", in("a/b/other_classes")), 0);
  ck_assert_int_eq(symlink("2.png", in("a/b/link.png")), 0);
  ck_assert_int_eq(symlink("nowhere", in("b/gone")), 0);
  struct skp_source *s = open_split(SKP_SPLIT_TRAIN);
  ck_assert_int_eq(s->n, N_ORDER);
  for (int i = 0; i < N_ORDER; i++) {
    ck_assert_str_eq(s->name_of(s, i), order[i]);
    check(s, i, 2, 2, *order[i] == 'b', 1);
  }
  snprintf(
      said, sizeof said,
      "Passed over in %s: 2 .psd, 2 folders without end, 1 .txt, 1 links that lead nowhere, 1 pictures outside the "
      "class folders, 1 without an ending.\n",
      folder);
  ck_assert_str_eq(s->remarks, said);
  skp__source_destroy(s);
}
END_TEST

/* A class may be a link to a folder elsewhere. */
START_TEST(linked_class) {
  png("set/train/one/a.png", 2, 2, 3, 0);
  png("elsewhere/b.png", 2, 2, 3, 0);
  ck_assert_int_eq(symlink("../../elsewhere", in("set/train/two")), 0);
  struct skp_source *s;
  ck_ok(skp__source_open(&s, in("set"), SKP_SPLIT_TRAIN));
  ck_assert(s->n == 2 && s->classes == 2);
  ck_assert_str_eq(s->name_of(s, 1), "two/b.png");
  skp__source_destroy(s);
}
END_TEST

/* Folders that are called as parts and hold pictures themselves are classes, beside
 * others that do; in a part they are anyway. */
START_TEST(classes_called_as_parts) {
  static const char *const roots[] = {"", "train/"};
  char name[64];
  for (const char *const *class = (const char *const[]){"other", "test", "train", "val", NULL}; *class; class ++) {
    snprintf(name, sizeof name, "%s%s/%s.png", roots[_i], *class, *class);
    png(name, 2, 2, 3, 0);
  }
  struct skp_source *s = open_split(SKP_SPLIT_TRAIN);
  ck_assert(s->n == 4 && s->classes == 4);
  ck_assert_str_eq(s->class_names[1], "test");
  ck_assert_str_eq(s->class_names[2], "train");
  ck_assert_str_eq(s->name_of(s, 3), "val/val.png");
  skp__source_destroy(s);
  ck_assert_ptr_null(open_split(SKP_SPLIT_TEST));
  ck_assert_ptr_null(open_split(SKP_SPLIT_VALID));
}
END_TEST

/* Parts without class folders: pictures that nobody has sorted, or nothing. */
START_TEST(unsorted_parts) {
  char said[300];
  png("train/one/a.png", 2, 2, 3, 0);
  png("train/two/a.png", 2, 2, 3, 0);
  png("test/9.png", 2, 2, 3, 7);
  png("test/10.png", 2, 2, 3, 8);
  ck_ok(skp__folder_create(in("val")));
  png("valid/one/a.png", 2, 2, 3, 0);
  ck_ok(skp__folder_create(in("valid/two")));
  struct skp_source *test = open_split(SKP_SPLIT_TEST), *valid = open_split(SKP_SPLIT_VALID);
  ck_assert(test->n == 2 && test->classes == 0);
  check(test, 0, 2, 2, -1, 8);
  ck_assert(valid->n == 1 && valid->classes == 1); /* of two that are called so, the one that holds something */
  struct skp_source *train = open_split(SKP_SPLIT_TRAIN);
  snprintf(said, sizeof said, "%s/val is left alone: another folder is that part of the set.\n", folder);
  ck_assert_str_eq(train->remarks, said);
  snprintf(said, sizeof said, "Passed over in %s/valid: 1 class folders without pictures.\n", folder);
  ck_assert_str_eq(valid->remarks, said);
  skp__source_destroy(test);
  skp__source_destroy(valid);
  skp__source_destroy(train);
  ck_assert_int_eq(system(strcat(strcpy(said, "rm -r "), in("test/*"))), 0);
  ck_assert_ptr_null(open_split(SKP_SPLIT_TEST));
  train = open_split(SKP_SPLIT_TRAIN);
  ck_assert_ptr_nonnull(strstr(train->remarks, "/test holds no pictures: it is passed over.\n"));
  skp__source_destroy(train);
}
END_TEST

/* Of two folders that hold something the one that is spelled as usual is the part, whichever comes first. */
START_TEST(parts_twice) {
  char said[300];
  png("Train/one/b.png", 2, 2, 3, 0);
  png("Train/two/b.png", 2, 2, 3, 0);
  png("train/one/a.png", 2, 2, 3, 0);
  png("train/two/a.png", 2, 2, 3, 0);
  png("train/two/b.png", 2, 2, 3, 0);
  png("TEST/one/b.png", 2, 2, 3, 0);
  png("Test/one/a.png", 2, 2, 3, 0);
  struct skp_source *train = open_split(SKP_SPLIT_TRAIN), *test = open_split(SKP_SPLIT_TEST);
  ck_assert_int_eq(train->n, 3);
  ck_assert_int_eq(test->n, 1);
  ck_assert_str_eq(test->name_of(test, 0), "one/b.png");
  snprintf(said, sizeof said,
           "%s/Test is left alone: another folder is that part of the set.\n"
           "%s/Train is left alone: another folder is that part of the set.\n",
           folder, folder);
  ck_assert_str_eq(train->remarks, said);
  skp__source_destroy(train);
  skp__source_destroy(test);
}
END_TEST

/* 12 bits in 16 of which the file says nothing: they are counted. */
START_TEST(faint_pictures) {
  char said[300];
  png_of("one/a.png", 2, 2, 3, 16, 0x08);
  png_of("one/b.png", 2, 2, 3, 16, 0x80);
  png_of("one/c.png", 2, 2, 3, 16, 0);
  png_of("two/a.png", 2, 2, 1, 16, 0x0f);
  png("two/b.png", 2, 2, 3, 0x08);
  struct skp_source *s = open_split(SKP_SPLIT_TRAIN);
  snprintf(said, sizeof said, "2 pictures of %s, of 16 bits, hold 12 or fewer and will be nearly black: ", folder);
  ck_assert_ptr_nonnull(s->remarks);
  ck_assert_int_eq(strncmp(s->remarks, said, strlen(said)), 0);
  check(s, 0, 2, 2, 0, 0x08);
  skp__source_destroy(s);
}
END_TEST

/* Names in any bytes are shown as text, and lead to the files all the same. */
START_TEST(names_that_are_no_text) {
  png("caf\xe9/\xff.png", 2, 2, 3, 5);
  png("caf\xc3\xa9/a b\n.png", 2, 2, 3, 6);
  struct skp_source *s = open_split(SKP_SPLIT_TRAIN);
  ck_assert_str_eq(s->class_names[0], "caf\xc3\xa9");
  ck_assert_str_eq(s->class_names[1], "caf\\xE9");
  ck_assert_str_eq(s->name_of(s, 0), "caf\xc3\xa9/a b\\x0A.png");
  ck_assert_str_eq(s->name_of(s, 1), "caf\\xE9/\\xFF.png");
  check(s, 0, 2, 2, 0, 6);
  check(s, 1, 2, 2, 1, 5);
  skp__source_destroy(s);
}
END_TEST

/* Without train and test, and all pictures grey and of one size. */
START_TEST(classes_alone) {
  struct skp_source *test;
  png("one/a.png", 4, 6, 1, 50);
  jpeg("two/b.jpg", 4, 6, 1, 60);
  struct skp_source *train = open_split(SKP_SPLIT_TRAIN);
  ck_ok(skp__source_open(&test, folder, SKP_SPLIT_TEST));
  ck_assert_ptr_null(test);
  ck_assert(train->n == 2 && train->H == 4 && train->W == 6 && train->C == 1 && train->classes == 2);
  check(train, 0, 4, 6, 0, 50);
  check(train, 1, 4, 6, 1, 60);
  skp__source_destroy(train);
}
END_TEST

START_TEST(kept_in_memory) {
  png("one/a.png", 4, 6, 1, 50);
  jpeg("two/b.jpg", 4, 6, 3, 60);
  struct skp_source *s = open_split(SKP_SPLIT_TRAIN);
  check(s, 0, 4, 6, 0, 50);
  unlink(in("one/a.png"));
  check(s, 0, 4, 6, 0, 50);
  skp__source_destroy(s);
}
END_TEST

/* Of a large set the headers are kept: the second time only what has changed is opened. */
START_TEST(kept_headers) {
  char first[256], kept[64];
  snprintf(kept, sizeof kept, "%s-kept", folder);
  ck_ok(skp__host_set(&(struct skp__host){.index = kept}));
  png("0/first.png", 1, 1, 3, 9);
  snprintf(first, sizeof first, "%s", in("0/first.png"));
  for (int i = 1; i < SKP_INDEX_LEAST; i++) {
    char name[64];
    snprintf(name, sizeof name, "0/%d.png", i);
    ck_assert_int_eq(link(first, in(name)), 0);
  }
  for (int again = 0; again < 2; again++) {
    struct skp_source *s = open_split(SKP_SPLIT_TRAIN);
    ck_assert_int_eq(s->n, SKP_INDEX_LEAST);
    ck_assert_int_eq(s->H, 1);
    ck_assert_int_eq(s->C, 3);
    skp__source_destroy(s);
    ck_assert(skp__folder_exists(kept));
  }
  save("0/7.png", "no", 2); /* all of them are this file */
  struct skp_source *s;
  ck_fails(skp__source_open(&s, folder, SKP_SPLIT_TRAIN), SKP_FORMAT, "Not one picture of the class 0");
  ck_ok(skp__host_set(&(struct skp__host){.index = NULL}));
  ck_assert_int_eq(rename(kept, in("kept")), 0); /* it goes with the folder */
}
END_TEST

/* Two folders whose names are the same text, as file systems of several makers write it, are one class. */
START_TEST(forms_of_a_name) {
  png("caf\xc3\xa9/a.png", 2, 2, 3, 10);
  png("cafe\xcc\x81/b.png", 2, 2, 3, 20);
  png("cafz/c.png", 2, 2, 3, 30);
  struct skp_source *s = open_split(SKP_SPLIT_TRAIN);
  ck_assert(s->n == 3 && s->classes == 2);
  check(s, 0, 2, 2, 0, 20);
  check(s, 1, 2, 2, 1, 30);
  check(s, 2, 2, 2, 0, 10);
  ck_assert_str_eq(s->class_names[0], "cafe\xcc\x81");
  skp__source_destroy(s);
}
END_TEST

/* ---- folders that cannot be used --------------------------------------------------------------------------------- */

START_TEST(refuses) {
  struct skp_source *s;
  ck_fails(skp__source_open(&s, folder, SKP_SPLIT_TRAIN), SKP_FORMAT, "image folders");
  save("one/a.txt", "text", 4);
  ck_fails(skp__source_open(&s, folder, SKP_SPLIT_TRAIN), SKP_FORMAT, "What lies there: one");
  png("one/a.png", 2, 2, 3, 0);
  ck_ok(skp__source_open(&s, folder, SKP_SPLIT_TRAIN)); /* one class is enough to test with */
  ck_assert_int_eq(s->classes, 1);
  skp__source_destroy(s);
  ck_ok(skp__folder_create(in("two")));
  ck_fails(skp__source_open(&s, folder, SKP_SPLIT_TRAIN), SKP_FORMAT, "/two holds no pictures (.jpg ");
  save("two/a.txt", "text", 4);
  ck_fails(skp__source_open(&s, folder, SKP_SPLIT_TRAIN), SKP_FORMAT, "), but 1 .txt.");
  png("two/a.png", 2, 2, 3, 0);
  ck_ok(skp__source_open(&s, folder, SKP_SPLIT_TRAIN));
  skp__source_destroy(s);
}
END_TEST

START_TEST(refuses_splits) {
  struct skp_source *s;
  png("test/one/a.png", 2, 2, 3, 0);
  png("test/two/a.png", 2, 2, 3, 0);
  ck_fails(skp__source_open(&s, folder, SKP_SPLIT_TRAIN), SKP_FORMAT, "lacks the folder train");
  ck_ok(skp__source_open(&s, folder, SKP_SPLIT_TEST)); /* enough to evaluate */
  skp__source_destroy(s);
  png("train/one/a.png", 2, 2, 3, 0);
  png("train/three/a.png", 2, 2, 3, 0);
  ck_ok(skp__source_open(&s, folder, SKP_SPLIT_TRAIN));
  skp__source_destroy(s);
  ck_ok(skp__source_open(&s, folder, SKP_SPLIT_TEST)); /* each part has classes of its own */
  ck_assert_str_eq(s->class_names[1], "two");
  skp__source_destroy(s);
}
END_TEST

/* Training images that are not sorted, or not there. */
START_TEST(no_classes) {
  struct skp_source *s;
  ck_ok(skp__folder_create(in("train")));
  ck_fails(skp__source_open(&s, folder, SKP_SPLIT_TRAIN), SKP_FORMAT, "/train is empty; each class is a folder");
  save("train/a.npy", "x", 1);
  ck_fails(skp__source_open(&s, folder, SKP_SPLIT_TRAIN), SKP_FORMAT, "/train holds no pictures (.jpg ");
  png("train/a.png", 2, 2, 3, 0);
  png("test/a.png", 2, 2, 3, 0);
  ck_fails(skp__source_open(&s, folder, SKP_SPLIT_TRAIN), SKP_FORMAT, "/train holds pictures (1), but no folders");
}
END_TEST

START_TEST(bomb) {
  /* A PNG header that tells of 200 000 × 200 000 pixels. */
  static const uint8_t bytes[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\3\r@\0\3\r@\b\2\0\0\0\x5f\x9a\x2a\x1d";
  struct skp_source *s;
  png("one/a.png", 2, 2, 3, 0);
  save("two/bomb.png", bytes, sizeof bytes - 1);
  ck_fails(skp__source_open(&s, folder, SKP_SPLIT_TRAIN), SKP_FORMAT, "two/bomb.png");
  ck_assert_ptr_null(s);
}
END_TEST

/* ---- damaged pictures -------------------------------------------------------------------------------------------- */

enum { N = 230 };

/* N pictures, alternately of two classes; the value of each is its number. */
static void make_many(void) {
  char name[64];
  for (int i = 0; i < N; i++) {
    snprintf(name, sizeof name, "%d/%03d.png", i >= N / 2, i);
    png(name, 8, 8, 3, i);
  }
}

/* The first value and the label of each sample of two epochs. */
struct seen {
  int value[2 * N], label[2 * N];
};

static skp_status load(struct seen *out, const struct skp_source *s, int threads, bool stand_in) {
  struct skp_loader_options o = {.size = 8,
                                 .batch = 7,
                                 .shuffle = true,
                                 .seed = 5,
                                 .threads = threads,
                                 .depth = threads + 2,
                                 .stand_in = stand_in};
  struct skp_loader *l;
  int64_t n = 0;
  ck_ok(skp__loader_create(&l, s, &o));
  skp_status status = SKP_OK;
  for (int b = 0; b < 2 * skp__loader_batches(l) && status == SKP_OK; b++) {
    struct skp_batch *batch;
    status = skp__loader_next(l, &batch, NULL);
    for (int64_t i = 0; status == SKP_OK && i < batch->n; i++, n++) {
      out->value[n] = (int)(batch->x[i * 192] * 255.0f + 0.5f);
      out->label[n] = batch->labels[i];
    }
    skp__loader_give_back(l, batch);
  }
  skp__loader_destroy(l);
  return status;
}

/* A picture whose header is sound and one without a header: others stand in, all the rest stays as it was. */
START_TEST(passed_over) {
  static struct seen sound, damaged;
  struct skp__text text = {.n = 0};
  make_many();
  struct skp_source *s = open_split(SKP_SPLIT_TRAIN);
  ck_ok(load(&sound, s, 1, true));
  skp__source_destroy(s);
  cut("0/003.png", 60);
  cut("1/200.png", 0);
  s = open_split(SKP_SPLIT_TRAIN);
  ck_assert_int_eq(skp__damage_list(s->damage, 0, &text), 2);
  for (int threads = 1; threads <= 4; threads += 3) {
    ck_ok(load(&damaged, s, threads, true));
    for (int i = 0; i < 2 * N; i++) {
      int want = sound.value[i] == 3 || sound.value[i] == 200 ? sound.value[i] + 1 : sound.value[i];
      ck_assert_int_eq(damaged.value[i], want);
      ck_assert_int_eq(damaged.label[i], want >= N / 2);
    }
  }
  text.n = 0;
  ck_assert_int_eq(skp__damage_list(s->damage, 0, &text), 2);
  ck_assert_ptr_nonnull(strstr(text.at, "1/200.png is no picture of the formats"));
  ck_assert_ptr_nonnull(strstr(text.at, "0/003.png is truncated"));
  ck_ok(load(&damaged, s, 2, false)); /* where nothing may stand in: without a label */
  for (int i = 0; i < 2 * N; i++) {
    bool bad = sound.value[i] == 3 || sound.value[i] == 200;
    ck_assert_int_eq(damaged.value[i], bad ? 0 : sound.value[i]);
    ck_assert_int_eq(damaged.label[i], bad ? -1 : sound.value[i] >= N / 2);
  }
  ck_fails(skp__damage_bear(s->damage, 0), SKP_FORMAT, "has damaged images:\n");
  skp__source_destroy(s);
}
END_TEST

/* The first `n` pictures of the first class. */
static void damage(int n) {
  for (int i = 0; i < n; i++) {
    char name[32];
    snprintf(name, sizeof name, "0/%03d.png", i);
    cut(name, i % 2 ? 10 : 50);
  }
}

/* Five are borne, though they are more than 1 in 100 of so few. */
START_TEST(too_many_damaged) {
  static struct seen seen;
  make_many();
  damage(5);
  struct skp_source *s = open_split(SKP_SPLIT_TRAIN);
  ck_ok(skp__damage_bear(NULL, 0));
  ck_ok(skp__damage_bear(s->damage, SKP_DAMAGE_USUAL));
  ck_ok(load(&seen, s, 2, true));
  ck_fails(skp__damage_bear(s->damage, 4), SKP_FORMAT, "5 of the 230 images of");
  ck_assert_ptr_nonnull(strstr(skp_error_message(), "more than max_damaged says:\n"));
  skp__source_destroy(s);
  damage(6);
  s = open_split(SKP_SPLIT_TRAIN);
  ck_fails(load(&seen, s, 2, true), SKP_FORMAT, "6 of the 230 images of");
  ck_fails(skp__damage_bear(s->damage, SKP_DAMAGE_USUAL), SKP_FORMAT, "are damaged, more than 1 in 100");
  ck_assert_ptr_nonnull(strstr(skp_error_message(), "0/002.png is truncated"));
  ck_ok(skp__damage_bear(s->damage, 6));
  skp__source_destroy(s);
}
END_TEST

/* Not one sound picture in a class, or in a whole part. */
START_TEST(all_damaged) {
  struct skp_source *s;
  png("train/one/a.png", 2, 2, 3, 0);
  save("train/two/a.png", "x", 1);
  save("train/two/b.jpg", "x", 1);
  ck_fails(skp__source_open(&s, folder, SKP_SPLIT_TRAIN), SKP_FORMAT, "Not one picture of the class two in ");
  ck_assert_ptr_nonnull(strstr(skp_error_message(), "two/b.jpg is no picture"));
  save("test/one/a.png", "x", 1);
  s = open_split(SKP_SPLIT_TEST);
  ck_fails(skp__damage_bear(s->damage, 10), SKP_FORMAT, "1 of the 1 images of");
  skp__source_destroy(s);
}
END_TEST

/* A link that leads nowhere is a missing file. */
START_TEST(missing) {
  struct skp__text text = {.n = 0};
  make_many();
  ck_assert_int_eq(symlink("/nowhere/x.png", in("0/x.png")), 0);
  struct skp_source *s = open_split(SKP_SPLIT_TRAIN);
  ck_assert_int_eq(s->n, N + 1);
  ck_assert_int_eq(skp__damage_list(s->damage, 0, &text), 1);
  ck_assert_ptr_nonnull(strstr(text.at, "/0/x.png is missing: it is a link to /nowhere/x.png, where nothing is."));
  ck_assert_str_eq(skp__damage_word(s->damage, 0), "missing");
  cut("0/003.png", 60);
  skp__source_destroy(s);
  s = open_split(SKP_SPLIT_TRAIN);
  ck_assert_str_eq(skp__damage_word(s->damage, 0), "damaged or missing");
  ck_assert_str_eq(skp__damage_word(s->damage, 1), "damaged");
  skp__source_destroy(s);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("folder");
  TCase *c = tcase_create("folder");
  tcase_set_timeout(c, 60);
  tcase_add_checked_fixture(c, make_folder, remove_folder);
  tcase_add_loop_test(c, reads, 0, 6);
  tcase_add_test(c, deep);
  tcase_add_test(c, linked_class);
  tcase_add_loop_test(c, classes_called_as_parts, 0, 2);
  tcase_add_test(c, unsorted_parts);
  tcase_add_test(c, parts_twice);
  tcase_add_test(c, faint_pictures);
  tcase_add_test(c, names_that_are_no_text);
  tcase_add_test(c, no_classes);
  tcase_add_test(c, classes_alone);
  tcase_add_test(c, kept_in_memory);
  tcase_add_test(c, kept_headers);
  tcase_add_test(c, forms_of_a_name);
  tcase_add_test(c, refuses);
  tcase_add_test(c, refuses_splits);
  tcase_add_test(c, bomb);
  tcase_add_test(c, passed_over);
  tcase_add_test(c, too_many_damaged);
  tcase_add_test(c, all_damaged);
  tcase_add_test(c, missing);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
