/* fuzz_table.c: whatever a file of comma-separated values holds, it is refused with a text or its cells can be asked
 * for. SPDX-License-Identifier: MIT */
#include "io/table.h"
#include "parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  struct parts p = parts_of(bytes, size);
  struct skp_table t = {.text = NULL};
  char *text = strdup(p.text[0]);
  if (!text) abort();
  if (skp__table_parse(&t, text) == SKP_OK) {
    const int column = skp__table_column(&t, "accuracy");
    size_t letters = 0;
    for (size_t row = 0; row <= t.rows.n; row++)
      for (int c = -1; c < 4; c++) {
        letters += strlen(skp__table_cell(&t, row, c));
        (void)skp__table_number(&t, row, column);
      }
    if (letters > size) abort();
  } else if (!*skp_error_message()) {
    abort();
  }
  skp__table_free(&t);
  free(p.memory);
  return 0;
}
