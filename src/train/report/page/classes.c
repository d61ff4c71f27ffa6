/* classes.c: which classes are taken for which. SPDX-License-Identifier: MIT */
#include "base/pairs.h"
#include "train/report/page/page.h"
#include <math.h>

enum { MOST_CLASSES = 60 };

static double row_sum(const struct skp_table *t, size_t row) {
  double sum = 0;
  for (size_t k = 1; k < t->rows.at[row].cells.n; k++) sum += fmax(0, skp__table_number(t, row, (int)k));
  return sum;
}

static void put_matrix(FILE *to, const struct skp_table *t) {
  fprintf(to, "<div class=wide tabindex=0 role=region aria-label=\"confusion matrix\"><table class=\"sort matrix\">"
              "<caption>Rows: what an image is; columns: what it was taken for</caption><thead><tr>"
              "<th scope=col aria-sort=none><button>class</button></th>");
  for (size_t k = 1; k < t->rows.at[0].cells.n; k++) {
    fprintf(to, "<th scope=col aria-sort=none><button>");
    skp__page_text(to, skp__table_cell(t, 0, (int)k));
    fprintf(to, "</button></th>");
  }
  fprintf(to, "</tr></thead><tbody>");
  for (size_t i = 1; i < t->rows.n; i++) {
    const double sum = row_sum(t, i);
    fprintf(to, "<tr><th scope=row>");
    skp__page_text(to, skp__table_cell(t, i, 0));
    fprintf(to, "</th>");
    for (size_t k = 1; k < t->rows.at[0].cells.n; k++) {
      const double n = skp__table_number(t, i, (int)k), fraction = sum > 0 && isfinite(n) ? n / sum : 0;
      fprintf(to, "<td style=\"--s:%.3f\" class=%s><span class=count>%.0f</span><span class=share>%.1f %%</span></td>",
              fraction, i == k ? "right" : "wrong", isfinite(n) ? n : 0, 100 * fraction);
    }
    fprintf(to, "</tr>");
  }
  fprintf(to, "</tbody></table></div>\n");
}

static double count(const void *user, size_t is, size_t taken) {
  return skp__table_number(user, 1 + is, 1 + (int)taken);
}

static void put_pairs(FILE *to, const struct skp__page_images *images) {
  const struct skp_table *t = &images->run->confusion;
  struct skp__pair pair[SKP_PAIRS];
  const size_t n = skp__pairs(pair, &(struct skp__counts){t->rows.n - 1, count, t});
  if (!n) return;
  fprintf(to, "<h3>Most confused</h3><ol class=pairs>");
  for (size_t i = 0; i < n; i++) {
    const char *is = skp__table_cell(t, 1 + pair[i].is, 0), *taken = skp__table_cell(t, 0, 1 + (int)pair[i].taken);
    fprintf(to, "<li><b>");
    skp__page_text(to, is);
    fprintf(to, "</b> taken for <b>");
    skp__page_text(to, taken);
    fprintf(to, "</b>: %.0f of %.0f", pair[i].n, row_sum(t, 1 + pair[i].is));
    skp__page_pair(to, images, is, taken);
    fprintf(to, "</li>\n");
  }
  fprintf(to, "</ol>\n");
}

void skp__page_confusion(FILE *to, const struct skp__page_images *images) {
  const struct skp_table *t = &images->run->confusion;
  if (t->rows.n < 2) return;
  if (t->rows.n <= MOST_CLASSES + 1)
    put_matrix(to, t);
  else
    fprintf(to, "<p>%zu classes are too many for a table; confusion.csv has all.</p>\n", t->rows.n - 1);
  put_pairs(to, images);
  skp__page_table(to, "Each class", &images->run->classes, 2000);
}
