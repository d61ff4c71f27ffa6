/* pickle.h: Python's pickle format, as far as dictionaries of tensors need it. Nothing is executed: what a pickle would
 * call becomes a description of the call, or an opaque value. Files are not trusted. SPDX-License-Identifier: MIT
 *
 * (Opcodes: CPython, Lib/pickletools.py.) */
#ifndef SKP_IO_PICKLE_H
#define SKP_IO_PICKLE_H

#include "base/array.h"
#include <stdbool.h>
#include <stdint.h>

typedef enum skp_pickle_kind {
  SKP_PICKLE_NONE,   /* None, and whatever says nothing here: floats, sets, bytes, objects without a meaning */
  SKP_PICKLE_INT,    /* whole numbers; True and False are 1 and 0 */
  SKP_PICKLE_TEXT,   /* text */
  SKP_PICKLE_LIST,   /* lists and tuples: items */
  SKP_PICKLE_DICT,   /* dictionaries: keys and values in turn */
  SKP_PICKLE_GLOBAL, /* something imported: "MODULE NAME" */
  SKP_PICKLE_CALL,   /* items: what is called, its arguments as a list */
  SKP_PICKLE_FAR     /* an object kept elsewhere; one item: what names it */
} skp_pickle_kind;

typedef int32_t skp_pickle_value; /* a place in skp_pickle.value */

struct skp_pickle_node {
  skp_pickle_kind kind;
  int64_t number;
  char *text;
  SKP_ARRAY(skp_pickle_value) items; /* a value may stand in several places, even in itself */
};

struct skp_pickle {
  SKP_ARRAY(struct skp_pickle_node) value;
  skp_pickle_value root;
};

/* Reads a pickle of protocol 2 to 5; `name` stands for the file in errors. skp__pickle_free also after a failure. */
skp_status skp__pickle_parse(struct skp_pickle *out, const void *bytes, int64_t size, const char *name);
void skp__pickle_free(struct skp_pickle *p); /* an all-zero struct is fine */

/* The value of a key of a dictionary; NULL: it has none, or `node` is no dictionary. */
const struct skp_pickle_node *skp__pickle_get(const struct skp_pickle *p, const struct skp_pickle_node *node,
                                              const char *key);
/* Item i of a list or a call; NULL: there is none. */
const struct skp_pickle_node *skp__pickle_item(const struct skp_pickle *p, const struct skp_pickle_node *node,
                                               size_t i);
/* Whether a node is a call of the global "MODULE NAME". */
bool skp__pickle_calls(const struct skp_pickle *p, const struct skp_pickle_node *node, const char *global);

#endif
