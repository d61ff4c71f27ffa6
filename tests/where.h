/* where.h: the device that the tests' environment chooses; the library reads no variables.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_TESTS_WHERE_H
#define SKP_TESTS_WHERE_H

#include "backend/backend.h"
#include <stdlib.h>

/* What a test leaves open; SKIPPER_CACHE= keeps no kernels. */
static inline struct skp_backend_options where_else(struct skp_backend_options said) {
  if (!said.backend) said.backend = getenv("SKIPPER_BACKEND");
  if (!said.platform) said.platform = getenv("SKIPPER_PLATFORM");
  if (!said.device) said.device = getenv("SKIPPER_DEVICE");
  if (!said.method) said.method = getenv("SKIPPER_METHOD");
  if (!said.cache) said.cache = getenv("SKIPPER_CACHE");
  return said;
}

#endif
