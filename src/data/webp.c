/* webp.c: WebP pictures, and the first one of animations, through libwebp. SPDX-License-Identifier: MIT
 *
 * Alpha is dropped; what an animation's first picture leaves of its canvas is black. */
#include "data/format.h"
#include <string.h>
#include <webp/decode.h>
#include <webp/demux.h>

static skp_status fail_webp(VP8StatusCode error, const struct skp__file *f) {
  if (error == VP8_STATUS_OUT_OF_MEMORY) return skp__fail(SKP_MEMORY, "Out of memory for the image %s.", f->name);
  if (error == VP8_STATUS_NOT_ENOUGH_DATA || error == VP8_STATUS_SUSPENDED) return skp__fail_truncated(f, "WebP");
  return skp__fail_decoding(f, error == VP8_STATUS_UNSUPPORTED_FEATURE ? "an unknown kind of WebP"
                                                                       : "its WebP data are damaged");
}

skp_status skp__inspect_webp(struct skp_image *image, const struct skp__file *f) {
  WebPBitstreamFeatures header;
  VP8StatusCode error = WebPGetFeatures(f->bytes, f->size, &header);
  if (error) return fail_webp(error, f);
  return skp__image_size(image, (uint64_t)header.height, (uint64_t)header.width, false, f);
}

/* Into its place on the canvas, within which the demuxer has found it to lie. */
static skp_status decode_frame(struct skp_image *image, const WebPIterator *frame, const struct skp__file *f) {
  const size_t stride = 3 * (size_t)image->W, start = (size_t)frame->y_offset * stride + 3 * (size_t)frame->x_offset;
  WebPDecoderConfig how;
  if (!WebPInitDecoderConfig(&how)) return skp__fail(SKP_UNSUPPORTED, "libwebp is not the one built with.");
  if (frame->width != image->W || frame->height != image->H) memset(image->pixels, 0, stride * (size_t)image->H);
  how.output.colorspace = MODE_RGB;
  how.output.is_external_memory = 1;
  how.output.u.RGBA.rgba = image->pixels + start;
  how.output.u.RGBA.stride = (int)stride;
  how.output.u.RGBA.size = stride * (size_t)image->H - start;
  VP8StatusCode error = WebPDecode(frame->fragment.bytes, frame->fragment.size, &how);
  return error ? fail_webp(error, f) : SKP_OK;
}

static skp_status decode(struct skp_image *image, const WebPDemuxer *file, const struct skp__file *f) {
  WebPIterator frame;
  SKP_TRY(
      skp__image_rgb(image, WebPDemuxGetI(file, WEBP_FF_CANVAS_HEIGHT), WebPDemuxGetI(file, WEBP_FF_CANVAS_WIDTH), f));
  if (!WebPDemuxGetFrame(file, 1, &frame)) return skp__fail_decoding(f, "it holds no picture");
  skp_status status = decode_frame(image, &frame, f);
  WebPDemuxReleaseIterator(&frame);
  return status;
}

skp_status skp__decode_webp(struct skp_image *image, const struct skp__file *f) {
  SKP_TRY(skp__inspect_webp(image, f));
  WebPDemuxer *file = WebPDemux(&(WebPData){f->bytes, f->size});
  if (!file) return skp__fail_decoding(f, "its WebP data are damaged, or end too early");
  skp_status status = decode(image, file, f);
  WebPDemuxDelete(file);
  return status;
}
