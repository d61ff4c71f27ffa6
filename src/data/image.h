/* image.h: an image in memory: decoded, cut, resized. SPDX-License-Identifier: MIT */
#ifndef SKP_DATA_IMAGE_H
#define SKP_DATA_IMAGE_H

#include "base/error.h"
#include "data/augment.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An image that one thread uses again and again, so that memory is taken only where one is larger than all before it.
 * Begins all zero, ends with skp__image_free. */
struct skp_image {
  uint8_t *pixels; /* H·W·C bytes, row-major HWC */
  int H, W, C;
  bool faint;          /* decoded: 16 bits hold 12 or fewer, but the file does not say so */
  size_t room;         /* bytes at pixels */
  const float *values; /* not NULL: they stand for pixels / 255, and nothing but normalising can be done; borrowed */
};

/* Makes it an image of this size; its content is undefined then. */
skp_status skp__image_room(struct skp_image *image, int H, int W, int C);
void skp__image_free(struct skp_image *image);
/* Exchanges their pixels; decoders stay where they are. */
void skp__image_swap(struct skp_image *a, struct skp_image *b);

/* Whether a file's name ends as those of the images do that can be decoded. */
bool skp__image_named(const char *name);
/* Those endings (".jpg .jpeg …"), and what the formats are called ("JPEG, PNG, …"). */
const char *skp__image_endings(void);
const char *skp__image_formats(void);
#define SKP_IMAGE_HEAD    ((int64_t)1 << 16)
#define SKP_IMAGE_LARGEST ((int64_t)1 << 30) /* bytes of a picture's file */
/* Decodes a picture of any of the formats with C = 1 (grey) or 3 (RGB) as asked (`channels`). Its first bytes tell the
 * format, not its name. The pixels are those of Pillow's convert("RGB"): alpha is dropped, of animations the first
 * picture is taken; but 16 bits become the upper 8, of grey, too. Hostile sizes are refused (limit 1 << 28 pixels). */
skp_status skp__image_read(struct skp_image *out, const char *path, int channels);
/* The same from memory; `name` stands for the path in errors. */
skp_status skp__image_decode(struct skp_image *out, const void *bytes, size_t size, const char *name, int channels);
/* Reads no more than the header: H, W, and C as it is stored; there are no pixels. */
skp_status skp__image_inspect(struct skp_image *out, const char *path);
/* The same of its first bytes, SKP_IMAGE_HEAD of which do but for large profiles or
 * previews, and headers that lie at the end. */
skp_status skp__image_inspect_bytes(struct skp_image *out, const void *bytes, size_t size, const char *name);
/* Reads or inspects a picture in an archive, whose header lies at that position; `name` stands for it in errors. */
skp_status skp__image_read_within(struct skp_image *out, const char *archive, int64_t position, const char *name,
                                  int channels);
skp_status skp__image_inspect_within(struct skp_image *out, const char *archive, int64_t position, const char *name);
/* A window of the image resized to H × W: bilinear and antialiased as torchvision's. */
skp_status skp__image_scale(struct skp_image *out, const struct skp_image *in, int H, int W,
                            const struct skp__box *window);
/* The size that makes the shorter side `shorter`, as torchvision's Resize. */
void skp__fit(int *H, int *W, int shorter);
/* Leaves a box of the image, in place. */
void skp__image_cut(struct skp_image *image, const struct skp__box *box);
/* Where pixel i is found in a line of n that is mirrored at its first and its last pixel. */
int skp__reflected(int i, int n);
/* The grey of a pixel: Rec. 601 luma in 16 bits, as Pillow's convert("L"). */
static inline int skp__grey_of(const uint8_t *p, int C) {
  return C < 3 ? p[0] : (19595 * p[0] + 38470 * p[1] + 7471 * p[2] + (1 << 15)) >> 16;
}
/* Grey becomes RGB with three equal channels, RGB becomes its grey; nothing else is known. In place. */
skp_status skp__image_set_channels(struct skp_image *image, int C);

#endif
