/* json.c: see json.h. SPDX-License-Identifier: MIT */
#include "io/json.h"
#include "base/utf8.h"

skp_status skp__json_text(char **out, const cJSON *json, bool formatted) {
  char *text = !json ? NULL : formatted ? cJSON_Print(json) : cJSON_PrintUnformatted(json);
  *out = NULL;
  if (!text) return skp__fail_memory("JSON", 0);
  skp_status status = skp__utf8_repaired(out, text);
  cJSON_free(text);
  return status;
}
