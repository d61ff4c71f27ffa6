/* jpeg.c: whatever libjpeg decodes is a picture, with or without its warnings. SPDX-License-Identifier: MIT
 *
 * Its own interface and not TurboJPEG's, which refuses what it has no name for, such as uneven factors of subsampling.
 * The file is a source that waits where its bytes end, so that a truncated one is known
 * from one that only lacks its end mark. */
#include "base/array.h"
#include "data/format.h"
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

struct reader {
  struct jpeg_decompress_struct info;
  struct jpeg_error_mgr errors;
  struct jpeg_source_mgr source;
  struct jpeg_progress_mgr progress;
  jmp_buf failed;
  char text[JMSG_LENGTH_MAX]; /* why */
};

/* ---- what libjpeg calls ------------------------------------------------------------------------------------------ */

static void fail(j_common_ptr info) {
  struct reader *r = info->client_data;
  info->err->format_message(info, r->text);
  longjmp(r->failed, 1);
}

static void say_nothing(j_common_ptr info) { (void)info; }
static void do_nothing(j_decompress_ptr info) { (void)info; }

static boolean wait_for_more(j_decompress_ptr info) {
  (void)info;
  return FALSE;
}

static void skip(j_decompress_ptr info, long n) {
  struct jpeg_source_mgr *s = info->src;
  if (n <= 0) return;
  size_t step = (size_t)n < s->bytes_in_buffer ? (size_t)n : s->bytes_in_buffer;
  s->next_input_byte += step;
  s->bytes_in_buffer -= step;
}

/* Small files can hold so many passes over a large picture that they take hours: each scan goes over all of it. */
static void limit_scans(j_common_ptr info) {
  enum { MAX_SCANS = 500 };
  const uint64_t most_pixels = (uint64_t)1 << 33; /* of all scans: 32 of the largest picture */
  struct reader *r = info->client_data;
  const uint64_t fitting = most_pixels / ((uint64_t)r->info.image_height * r->info.image_width);
  const int most = fitting < MAX_SCANS ? (int)fitting : MAX_SCANS;
  if (r->info.input_scan_number <= most) return;
  snprintf(r->text, sizeof r->text, "It has more than %d scans", most);
  longjmp(r->failed, 1);
}

static void set_up(struct reader *r, const struct skp__file *f) {
  r->info.err = jpeg_std_error(&r->errors);
  r->errors.error_exit = fail;
  r->errors.output_message = say_nothing;
  r->info.client_data = r; /* it stays through jpeg_create_decompress */
  jpeg_create_decompress(&r->info);
  r->source =
      (struct jpeg_source_mgr){f->bytes, f->size, do_nothing, wait_for_more, skip, jpeg_resync_to_restart, do_nothing};
  r->info.src = &r->source;
  r->progress.progress_monitor = limit_scans;
  r->info.progress = &r->progress;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static skp_status read_header(struct reader *r, struct skp_image *image, const struct skp__file *f) {
  int result;
  set_up(r, f);
  do result = jpeg_read_header(&r->info, FALSE);
  while (result == JPEG_HEADER_TABLES_ONLY);
  if (result == JPEG_SUSPENDED) return skp__fail_truncated(f, "JPEG");
  int n = r->info.num_components;
  if (n != 1 && n != 3 && n != 4)
    return skp__fail(SKP_FORMAT, "%s has %d colour channels; a JPEG picture has 1, 3 or 4.", f->name, n);
  return skp__image_size(image, r->info.image_height, r->info.image_width, n == 1, f);
}

/* Four-colour JPEGs hold the amount of paper left, not of ink (Adobe's habit, which every reader follows). */
static skp_status read_rows(struct reader *r, struct skp_image *image, const struct skp__file *f) {
  const size_t W = (size_t)image->W;
  const bool cmyk = r->info.out_color_space == JCS_CMYK;
  JSAMPROW ink = cmyk ? *r->info.mem->alloc_sarray((j_common_ptr)&r->info, JPOOL_IMAGE, 4 * (JDIMENSION)W, 1) : NULL;
  while (r->info.output_scanline < r->info.output_height) {
    uint8_t *rgb = image->pixels + 3 * W * r->info.output_scanline;
    JSAMPROW row = cmyk ? ink : rgb;
    if (!jpeg_read_scanlines(&r->info, &row, 1)) return skp__fail_truncated(f, "JPEG");
    if (cmyk) skp__rgb_from_cmyk(rgb, ink, W);
  }
  jpeg_finish_decompress(&r->info); /* the end mark may be missing, now that all rows are there */
  return SKP_OK;
}

static skp_status read_picture(struct reader *r, struct skp_image *image, const struct skp__file *f) {
  SKP_TRY(read_header(r, image, f));
  r->info.out_color_space = r->info.num_components == 4 ? JCS_CMYK : JCS_RGB;
  SKP_TRY(skp__image_rgb(image, (uint64_t)image->H, (uint64_t)image->W, f));
  return jpeg_start_decompress(&r->info) ? read_rows(r, image, f) : skp__fail_truncated(f, "JPEG");
}

typedef skp_status (*work_fn)(struct reader *r, struct skp_image *image, const struct skp__file *f);

/* An error of libjpeg's leaves `work` from its middle: what that holds must belong to the reader or the image. */
static skp_status guard(struct reader *r, work_fn work, struct skp_image *image, const struct skp__file *f) {
  return setjmp(r->failed) ? skp__fail_decoding(f, r->text) : work(r, image, f);
}

static skp_status with_reader(work_fn work, struct skp_image *image, const struct skp__file *f) {
  struct reader r = {.text = ""};
  skp_status status = guard(&r, work, image, f);
  jpeg_destroy_decompress(&r.info);
  return status;
}

skp_status skp__inspect_jpeg(struct skp_image *image, const struct skp__file *f) {
  return with_reader(read_header, image, f);
}

skp_status skp__decode_jpeg(struct skp_image *image, const struct skp__file *f) {
  return with_reader(read_picture, image, f);
}
