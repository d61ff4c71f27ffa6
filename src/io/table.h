/* table.h: CSV files, as a run's folder holds them. SPDX-License-Identifier: MIT */
#ifndef SKP_IO_TABLE_H
#define SKP_IO_TABLE_H

#include "base/array.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct skp_table_row {
  SKP_ARRAY(char *) cells; /* within the table's text */
};

struct skp_table {
  char *text;
  SKP_ARRAY(struct skp_table_row) rows; /* the first one names the columns */
  const char *fault;                    /* what RFC 4180 does not know, in words; NULL: nothing */
  size_t fault_row;                     /* the first row that has it, from 0 */
};

/* Reads a file whole; one that is not there is a table without rows. skp__table_free also after a failure. Whatever the
 * file holds makes a table: who cannot do with what was made of faulty rows looks at `fault`. */
skp_status skp__table_read(struct skp_table *out, const char *path);
/* The same of a text, which is taken over. */
skp_status skp__table_parse(struct skp_table *out, char *text);
void skp__table_free(struct skp_table *t);
/* The number of a column that ends with this name; -1: none does. */
int skp__table_column(const struct skp_table *t, const char *name);
/* A cell, "" where there is none; as a number, NaN where it is none. Row 0 is the names. */
const char *skp__table_cell(const struct skp_table *t, size_t row, int column);
double skp__table_number(const struct skp_table *t, size_t row, int column);

/* A cell as a file has it, in quotes where it needs them (RFC 4180); an apostrophe tells spreadsheets that it is a
 * text. */
void skp__table_put(FILE *to, const char *text);
/* Takes the apostrophes off again that skp__table_put set. */
void skp__table_unmark(struct skp_table *t);

#endif
