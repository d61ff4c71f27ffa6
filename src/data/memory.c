/* memory.c: images in the caller's memory as a source. SPDX-License-Identifier: MIT */
#include "base/array.h"
#include "data/source.h"
#include <stdlib.h>
#include <string.h>

struct held {
  struct skp_source s; /* first */
  const uint8_t *bytes;
  const float *floats;
  const int32_t *labels;
};

static size_t values(const struct skp_source *s) { return (size_t)s->H * (size_t)s->W * (size_t)s->C; }

static skp_status image(const struct skp_source *s, int64_t i, struct skp_image *out, int32_t *label) {
  const struct held *h = (const struct held *)s;
  *label = h->labels ? h->labels[i] : -1;
  if (!out) return SKP_OK;
  if (h->bytes) {
    SKP_TRY(skp__image_room(out, s->H, s->W, s->C));
    memcpy(out->pixels, h->bytes + (size_t)i * values(s), values(s));
    return SKP_OK;
  }
  out->H = s->H;
  out->W = s->W;
  out->C = s->C;
  out->values = h->floats + (size_t)i * values(s);
  return SKP_OK;
}

static void destroy(struct skp_source *s) { free(s); }

static skp_status name_classes(struct skp_source *s, const char *const *names) {
  if (!names) return skp__source_name_by_number(s);
  SKP_TRY(skp__alloc(&s->class_names, (size_t)s->classes, sizeof *s->class_names));
  for (int c = 0; c < s->classes; c++) SKP_TRY(skp__strdup(&s->class_names[c], names[c]));
  return SKP_OK;
}

static skp_status check(const struct skp_held_images *m) {
  enum { SIDE = 1 << 14 };
  if (m->n < 1 || m->H < 1 || m->W < 1 || m->C < 1 || m->H > SIDE || m->W > SIDE || (!m->bytes && !m->floats))
    return skp__fail(SKP_USAGE, "There must be images in memory, of 1 to %d pixels a side, not %lld×%d×%d×%d values.",
                     SIDE, (long long)m->n, m->H, m->W, m->C);
  if (m->bytes && m->C != 1 && m->C != 3)
    return skp__fail(SKP_USAGE, "Images of bytes have 1 channel (grey) or 3 (RGB), not %d.", m->C);
  for (int64_t i = 0; m->labels && i < m->n; i++)
    if (m->labels[i] < -1 || m->labels[i] >= m->classes)
      return skp__fail(SKP_FORMAT, "Image %lld in memory has the label %d; there are %d classes, from 0 on.",
                       (long long)i, (int)m->labels[i], m->classes);
  return SKP_OK;
}

skp_status skp__source_memory(struct skp_source **out, const struct skp_held_images *m) {
  struct held *h;
  *out = NULL;
  SKP_TRY(check(m));
  SKP_TRY(skp__alloc(&h, 1, sizeof *h));
  h->bytes = m->bytes;
  h->floats = m->floats;
  h->labels = m->labels;
  h->s = (struct skp_source){.n = m->n,
                             .H = m->H,
                             .W = m->W,
                             .C = m->C,
                             .classes = m->classes,
                             .floats = !m->bytes,
                             .image = image,
                             .destroy = destroy};
  skp_status status = skp__strdup(&h->s.name, "images in memory");
  if (status == SKP_OK) status = name_classes(&h->s, m->names);
  if (status == SKP_OK)
    *out = &h->s;
  else
    skp__source_destroy(&h->s);
  return status;
}
