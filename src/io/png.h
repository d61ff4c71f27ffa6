/* png.h: pictures as PNG files in memory. SPDX-License-Identifier: MIT */
#ifndef SKP_IO_PNG_H
#define SKP_IO_PNG_H

#include "base/error.h"
#include <stddef.h>
#include <stdint.h>

/* H × W × C bytes, C 1 or 3. *out is fresh memory. */
skp_status skp__png_encode(void **out, size_t *size, const uint8_t *pixels, int H, int W, int C);

#endif
