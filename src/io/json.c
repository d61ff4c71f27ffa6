/* json.c: see json.h. SPDX-License-Identifier: MIT */
#include "io/json.h"
#include "base/array.h"
#include "base/utf8.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* malloc tells by errno, which cJSON leaves alone where it gives up for lack of memory. */
skp_status skp__json_parse_first(cJSON **out, const char *bytes, size_t n, const char **end) {
  errno = 0;
  *out = cJSON_ParseWithLengthOpts(bytes, n, end, false);
  return !*out && errno == ENOMEM ? skp__fail_memory("JSON", n) : SKP_OK;
}

skp_status skp__json_parse(cJSON **out, const char *text) {
  *out = NULL;
  return text ? skp__json_parse_first(out, text, strlen(text) + 1, NULL) : SKP_OK;
}

/* Where JSON leaves a character as it is that steers a terminal, which can only stand within a string: \uHHHH. */
static skp_status escape(char **out, const char *text) {
  enum { ESCAPED = 6 };
  SKP_TRY(skp__alloc(out, ESCAPED * strlen(text) + 1, 1));
  const unsigned char *p = (const unsigned char *)text, *end = p + strlen(text);
  for (char *to = *out; p < end;) {
    const int n = *p >= ' ' ? skp__utf8_steers(p, end) : 0;
    const unsigned code = n == 3   ? (p[0] & 0xfu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu)
                          : n == 2 ? (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu)
                                   : *p;
    if (n)
      to += sprintf(to, "\\u%04x", code);
    else
      *to++ = (char)*p;
    p += n ? n : 1;
  }
  return SKP_OK;
}

skp_status skp__json_safe(char **out, const char *text) {
  char *repaired = NULL;
  *out = NULL;
  skp_status status = skp__utf8_repaired(&repaired, text);
  if (status == SKP_OK) status = escape(out, repaired);
  free(repaired);
  return status;
}

bool skp__json_add(cJSON *to, const char *name, cJSON *item) {
  if (to && item && cJSON_AddItemToObject(to, name, item)) return true;
  cJSON_Delete(item);
  return false;
}

bool skp__json_add_text(cJSON *to, const char *name, const char *value) {
  return skp__json_add(to, name, cJSON_CreateString(value));
}

bool skp__json_add_number(cJSON *to, const char *name, double value) {
  return skp__json_add(to, name, cJSON_CreateNumber(value));
}

bool skp__json_add_whole(cJSON *to, const char *name, uint64_t value) {
  char text[24];
  if (value <= (uint64_t)SKP_JSON_EXACT) return skp__json_add_number(to, name, (double)value);
  snprintf(text, sizeof text, "%llu", (unsigned long long)value);
  return skp__json_add_text(to, name, text);
}

skp_status skp__json_text(char **out, const cJSON *json, bool formatted) {
  char *text = !json ? NULL : formatted ? cJSON_Print(json) : cJSON_PrintUnformatted(json);
  *out = NULL;
  if (!text) return skp__fail_memory("JSON", 0);
  skp_status status = skp__json_safe(out, text);
  cJSON_free(text);
  return status;
}

double skp__json_number_of(const cJSON *from, const char *name, double fallback) {
  const cJSON *entry = cJSON_GetObjectItemCaseSensitive(from, name);
  return cJSON_IsNumber(entry) ? entry->valuedouble : fallback;
}
