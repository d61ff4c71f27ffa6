/* page_table.c: texts and tables of the page. SPDX-License-Identifier: MIT */
#include "train/page.h"

void skp__page_text(FILE *to, const char *text) {
  for (; *text; text++) {
    if (*text == '<')
      fputs("&lt;", to);
    else if (*text == '&')
      fputs("&amp;", to);
    else if (*text == '"')
      fputs("&quot;", to);
    else
      fputc((unsigned char)*text < ' ' ? ' ' : *text, to);
  }
}

void skp__page_begin_table(FILE *to, const char *caption, const char *const *column, size_t n) {
  fprintf(to,
          "<details><summary>%s</summary><div class=wide tabindex=0 role=region aria-label=\"%s\"><table class=sort>"
          "<thead><tr>",
          caption, caption);
  for (size_t i = 0; i < n; i++) {
    fprintf(to, "<th scope=col aria-sort=none><button>");
    skp__page_text(to, column[i]);
    fprintf(to, "</button></th>");
  }
  fprintf(to, "</tr></thead><tbody>");
}

void skp__page_end_table(FILE *to) { fprintf(to, "</tbody></table></div></details>\n"); }

void skp__page_table(FILE *to, const char *caption, const struct skp_table *t, size_t most) {
  if (t->rows.n < 2) return;
  const size_t columns = t->rows.at[0].cells.n;
  skp__page_begin_table(to, caption, (const char *const *)t->rows.at[0].cells.at, columns);
  for (size_t i = 1; i < t->rows.n && i <= most; i++) {
    fprintf(to, "<tr>");
    for (size_t k = 0; k < columns; k++) {
      fprintf(to, "<td>");
      skp__page_text(to, skp__table_cell(t, i, (int)k));
      fprintf(to, "</td>");
    }
    fprintf(to, "</tr>");
  }
  skp__page_end_table(to);
}
