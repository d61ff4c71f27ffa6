/* table.c: CSV files. Cells may be quoted, a quote within one is doubled. SPDX-License-Identifier: MIT */
#include "io/table.h"
#include "base/file.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int64_t file_limit = INT64_C(256) << 20;

/* What is wrong with a cell that ends at `end`; NULL: nothing. */
static const char *fault_of(bool quoted, bool closed, const char *cell, const char *end) {
  if (quoted && !closed) return "the quote that opens there is never closed";
  if (quoted && !strchr(",\r\n", *end)) return "there is text behind a closing quote; a quote within quotes is doubled";
  if (!quoted && memchr(cell, '"', (size_t)(end - cell)))
    return "there is a quote within a cell that has none around it: put it in quotes, and double the quote";
  return NULL;
}

/* Takes the cell at *at out of the text, in place; *end becomes the letter behind it. */
static char *take_cell(char **at, char *end, const char **fault) {
  char *cell = *at, *to = cell, *from = cell;
  const bool quoted = *from == '"';
  from += quoted;
  while (*from && (quoted ? *from != '"' || from[1] == '"' : !strchr(",\r\n", *from))) {
    from += quoted && *from == '"';
    *to++ = *from++;
  }
  const bool closed = quoted && *from == '"';
  from += closed;
  *fault = fault_of(quoted, closed, cell, from);
  *end = *from;
  *at = from + (*from != 0);
  *to = 0;
  return cell;
}

/* The first one counts. */
static void note_fault(struct skp_table *t, const char *fault) {
  if (t->fault || !fault) return;
  t->fault = fault;
  t->fault_row = t->rows.n ? t->rows.n - 1 : 0;
}

static skp_status take_row(struct skp_table *t, char **at) {
  char end = ',';
  SKP_TRY(SKP_GROW(&t->rows));
  struct skp_table_row *row = &t->rows.at[t->rows.n - 1];
  while (end == ',') {
    const char *fault;
    char *cell = take_cell(at, &end, &fault);
    note_fault(t, fault);
    SKP_TRY(SKP_GROW(&row->cells));
    row->cells.at[row->cells.n - 1] = cell;
  }
  while (**at == '\n' || **at == '\r') ++*at;
  return SKP_OK;
}

skp_status skp__table_parse(struct skp_table *out, char *text) {
  *out = (struct skp_table){.text = text};
  for (char *at = text; *at;) SKP_TRY(take_row(out, &at));
  return SKP_OK;
}

skp_status skp__table_read(struct skp_table *out, const char *path) {
  void *text;
  int64_t size;
  *out = (struct skp_table){0};
  if (!skp__file_exists(path)) return SKP_OK;
  SKP_TRY(skp__file_read(&text, &size, path, file_limit));
  const bool whole = !memchr(text, 0, (size_t)size);
  SKP_TRY(skp__table_parse(out, text));
  note_fault(out, whole ? NULL : "there is a byte 0, where a text ends: the list is to be UTF-8");
  return SKP_OK;
}

void skp__table_free(struct skp_table *t) {
  for (size_t i = 0; i < t->rows.n; i++) SKP_FREE(&t->rows.at[i].cells);
  SKP_FREE(&t->rows);
  free(t->text);
}

int skp__table_column(const struct skp_table *t, const char *name) {
  const size_t n = strlen(name);
  for (size_t i = 0; t->rows.n && i < t->rows.at[0].cells.n; i++) {
    const char *cell = t->rows.at[0].cells.at[i];
    const size_t length = strlen(cell);
    if (length >= n && !strcmp(cell + length - n, name)) return (int)i;
  }
  return -1;
}

const char *skp__table_cell(const struct skp_table *t, size_t row, int column) {
  const bool there = row < t->rows.n && column >= 0 && (size_t)column < t->rows.at[row].cells.n;
  return there ? t->rows.at[row].cells.at[column] : "";
}

double skp__table_number(const struct skp_table *t, size_t row, int column) {
  const char *cell = skp__table_cell(t, row, column);
  char *end;
  const double x = strtod(cell, &end);
  return *cell && !*end ? x : (double)NAN;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* Whether a spreadsheet would take the text for a formula. A number is none. */
static bool is_formula(const char *text) {
  char *end;
  if (!*text || !strchr("=+-@\t\r", *text)) return false;
  strtod(text, &end);
  return end == text || *end;
}

void skp__table_unmark(struct skp_table *t) {
  for (size_t i = 0; i < t->rows.n; i++)
    for (size_t k = 0; k < t->rows.at[i].cells.n; k++) {
      char **cell = &t->rows.at[i].cells.at[k];
      if (**cell == '\'' && is_formula(*cell + 1)) ++*cell;
    }
}

void skp__table_put(FILE *to, const char *text) {
  const bool formula = is_formula(text);
  if (!formula && !strpbrk(text, ",\"\r\n")) {
    fputs(text, to);
    return;
  }
  fputs(formula ? "\"'" : "\"", to);
  for (; *text; text++) {
    if (*text == '"') fputc('"', to);
    fputc(*text, to);
  }
  fputc('"', to);
}
