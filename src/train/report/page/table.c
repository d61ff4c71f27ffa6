/* table.c: texts, tables and frames of figures of the page. SPDX-License-Identifier: MIT */
#include "train/report/page/page.h"

const char skp__page_colours[] =
    ":root{color-scheme:light dark;--bg:#fff;--fg:#1b1b1f;--dim:#55555f;--line:#c9c9d2;--hit:22 110 60;--miss:176 32 "
    "32;--c0:#0b57b0;--c1:#b03a00;--c2:#1b7038;--c3:#8a2bb0;--c4:#7a5b00;--c5:#b01858}@media screen and (prefers-colo"
    "r-scheme:dark){:root{--bg:#15151a;--fg:#ececf1;--dim:#b4b4c0;--line:#45454f;--hit:70 170 110;--miss:225 90 90;--"
    "c0:#7db8ff;--c1:#ff9d66;--c2:#7fdc9d;--c3:#dba3f5;--c4:#e5c65a;--c5:#ff94bd}}@media print{:root{color-scheme:lig"
    "ht}}.grid{stroke:var(--line)}.line{fill:none;stroke-width:2}.c0{stroke:var(--c0)}.c1{stroke:var(--c1)}.c2{stroke"
    ":var(--c2)}.c3{stroke:var(--c3)}.c4{stroke:var(--c4)}.c5{stroke:var(--c5)}.dot{fill:var(--bg);stroke-width:1.5}s"
    "vg text{fill:var(--dim);font-size:12px}.box{fill:var(--bg);stroke:var(--c0);stroke-width:1.5}.edge{fill:none;str"
    "oke:var(--dim);stroke-width:1.5}.bar{fill:var(--c0)}svg .name{fill:var(--fg);font-weight:bold}";

void skp__page_begin_svg(FILE *to, const char *label, int width, int height, bool alone) {
  if (alone)
    fprintf(to,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"%s\" width=\"%d\" height=\"%d\" "
            "viewBox=\"0 0 %d %d\"><title>%s</title><style>%s text{font-family:system-ui,sans-serif}</style><rect "
            "width=\"100%%\" height=\"100%%\" style=\"fill:var(--bg)\"/>\n",
            label, width, height, width, height, label, skp__page_colours);
  else
    fprintf(to, "<svg role=\"img\" aria-label=\"%s\" width=\"%d\" viewBox=\"0 0 %d %d\">", label, width, width, height);
}

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
