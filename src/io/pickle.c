/* pickle.c: a machine for Python's pickles that builds values and calls nothing; see pickle.h.
 * SPDX-License-Identifier: MIT
 *
 * Each opcode makes at most one value and reads at least one byte; how many values there may be is limited besides, as
 * one takes more memory than its byte. */
#include "io/pickle.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_VALUES = 4 << 20 }; /* a tensor takes about thirty */

struct machine {
  struct skp_pickle *p;
  const unsigned char *at, *end;
  SKP_ARRAY(skp_pickle_value) stack, memo; /* memo: -1 where there is nothing */
  SKP_ARRAY(size_t) marks;                 /* heights of the stack */
  bool done;
};

static skp_status fail(const char *what) {
  skp__fail(SKP_FORMAT, "the pickle %s", what);
  return SKP_FORMAT;
}
static skp_status fail_short(void) { return fail("ends in the middle"); }

/* ---- values ------------------------------------------------------------------------------------------------------ */

static skp_status make(struct machine *m, skp_pickle_value *out, skp_pickle_kind kind) {
  if (m->p->value.n == MAX_VALUES) return fail("has more values than weights need");
  SKP_TRY(SKP_GROW(&m->p->value));
  *out = (skp_pickle_value)(m->p->value.n - 1);
  m->p->value.at[*out].kind = kind;
  return SKP_OK;
}

static struct skp_pickle_node *node_of(struct machine *m, skp_pickle_value v) { return &m->p->value.at[v]; }

static skp_status append(struct skp_pickle_node *node, skp_pickle_value item) {
  SKP_TRY(SKP_GROW(&node->items));
  node->items.at[node->items.n - 1] = item;
  return SKP_OK;
}

static skp_status push(struct machine *m, skp_pickle_value v) {
  SKP_TRY(SKP_GROW(&m->stack));
  m->stack.at[m->stack.n - 1] = v;
  return SKP_OK;
}

static skp_status push_new(struct machine *m, skp_pickle_kind kind, int64_t number) {
  skp_pickle_value v;
  SKP_TRY(make(m, &v, kind));
  node_of(m, v)->number = number;
  return push(m, v);
}

/* The height below which nothing may be taken. */
static size_t floor_of(const struct machine *m) { return m->marks.n ? m->marks.at[m->marks.n - 1] : 0; }

static skp_status pop(struct machine *m, skp_pickle_value *out) {
  if (m->stack.n <= floor_of(m)) return fail("takes more from its stack than lies there");
  *out = m->stack.at[--m->stack.n];
  return SKP_OK;
}

static skp_status drop(struct machine *m) {
  skp_pickle_value v;
  return pop(m, &v);
}

static skp_status top(struct machine *m, skp_pickle_value *out) {
  SKP_TRY(pop(m, out));
  m->stack.n++;
  return SKP_OK;
}

/* Moves what lies above the last mark into a value's items; the mark goes. */
static skp_status take_marked(struct machine *m, skp_pickle_value to) {
  if (!m->marks.n) return fail("lacks a mark");
  size_t from = m->marks.at[--m->marks.n];
  for (size_t i = from; i < m->stack.n; i++) SKP_TRY(append(node_of(m, to), m->stack.at[i]));
  m->stack.n = from;
  return SKP_OK;
}

/* ---- bytes ------------------------------------------------------------------------------------------------------- */

/* An unsigned number of `bytes` bytes, little-endian. */
static skp_status number(struct machine *m, int bytes, uint64_t *out) {
  if (m->end - m->at < bytes) return fail_short();
  *out = 0;
  for (int i = 0; i < bytes; i++) *out |= (uint64_t)m->at[i] << 8 * i;
  m->at += bytes;
  return SKP_OK;
}

static skp_status skip(struct machine *m, uint64_t bytes) {
  if ((uint64_t)(m->end - m->at) < bytes) return fail_short();
  m->at += bytes;
  return SKP_OK;
}

/* A block of bytes whose length stands first, in `bytes` bytes. */
static skp_status block(struct machine *m, int bytes, const unsigned char **at, uint64_t *length) {
  SKP_TRY(number(m, bytes, length));
  *at = m->at;
  return skip(m, *length);
}

static skp_status set_text(struct machine *m, skp_pickle_value v, const void *text, size_t length) {
  char *copy;
  SKP_TRY(skp__alloc(&copy, length + 1, 1));
  memcpy(copy, text, length);
  node_of(m, v)->text = copy;
  return SKP_OK;
}

/* A text with a zero byte is no name: NumPy's numbers are kept so. */
static skp_status push_text(struct machine *m, int length_bytes) {
  const unsigned char *at;
  uint64_t length;
  skp_pickle_value v;
  SKP_TRY(block(m, length_bytes, &at, &length));
  if (memchr(at, 0, (size_t)length)) return push_new(m, SKP_PICKLE_NONE, 0);
  SKP_TRY(make(m, &v, SKP_PICKLE_TEXT));
  SKP_TRY(set_text(m, v, at, (size_t)length));
  return push(m, v);
}

static skp_status skip_block(struct machine *m, int length_bytes) {
  const unsigned char *at;
  uint64_t length;
  SKP_TRY(block(m, length_bytes, &at, &length));
  return push_new(m, SKP_PICKLE_NONE, 0);
}

/* A whole number in two's complement; those of more than 8 bytes say nothing here. */
static skp_status push_long(struct machine *m, int length_bytes) {
  const unsigned char *at;
  uint64_t length, value = 0;
  SKP_TRY(block(m, length_bytes, &at, &length));
  if (length > 8) return push_new(m, SKP_PICKLE_NONE, 0);
  for (uint64_t i = 0; i < length; i++) value |= (uint64_t)at[i] << 8 * i;
  if (length && length < 8 && at[length - 1] & 0x80) value |= UINT64_MAX << 8 * length;
  return push_new(m, SKP_PICKLE_INT, (int64_t)value);
}

static skp_status push_int(struct machine *m, int bytes) {
  uint64_t value;
  SKP_TRY(number(m, bytes, &value));
  return push_new(m, SKP_PICKLE_INT, bytes == 4 ? (int32_t)(uint32_t)value : (int64_t)value);
}

/* ---- opcodes ----------------------------------------------------------------------------------------------------- */

static skp_status line(struct machine *m, const unsigned char **at, size_t *length) {
  const unsigned char *end = memchr(m->at, '\n', (size_t)(m->end - m->at));
  if (!end) return fail_short();
  *at = m->at;
  *length = (size_t)(end - m->at);
  m->at = end + 1;
  return SKP_OK;
}

/* "MODULE NAME" from two texts. */
static skp_status push_global(struct machine *m, const char *module, size_t module_length, const char *name,
                              size_t name_length) {
  skp_pickle_value v;
  char *text;
  SKP_TRY(skp__format(&text, "%.*s %.*s", (int)module_length, module, (int)name_length, name));
  skp_status status = make(m, &v, SKP_PICKLE_GLOBAL);
  if (status == SKP_OK) status = set_text(m, v, text, strlen(text));
  free(text);
  return status == SKP_OK ? push(m, v) : status;
}

static skp_status op_global(struct machine *m) {
  const unsigned char *module, *name;
  size_t module_length, name_length;
  SKP_TRY(line(m, &module, &module_length));
  SKP_TRY(line(m, &name, &name_length));
  if (module_length + name_length > 1000) return fail("imports something with a name of more than 1000 bytes");
  return push_global(m, (const char *)module, module_length, (const char *)name, name_length);
}

static skp_status op_stack_global(struct machine *m) {
  skp_pickle_value name, module;
  SKP_TRY(pop(m, &name));
  SKP_TRY(pop(m, &module));
  const char *n = node_of(m, name)->text, *of = node_of(m, module)->text;
  if (!n || !of || strlen(n) + strlen(of) > 1000) return fail("imports something that is no name");
  return push_global(m, of, strlen(of), n, strlen(n));
}

/* A call is kept as one; that of OrderedDict without arguments is an empty dictionary. */
static skp_status op_call(struct machine *m) {
  skp_pickle_value arguments, called, v;
  SKP_TRY(pop(m, &arguments));
  SKP_TRY(pop(m, &called));
  const char *global = node_of(m, called)->text;
  if (node_of(m, called)->kind == SKP_PICKLE_GLOBAL && !strcmp(global, "collections OrderedDict") &&
      !node_of(m, arguments)->items.n)
    return push_new(m, SKP_PICKLE_DICT, 0);
  SKP_TRY(make(m, &v, SKP_PICKLE_CALL));
  SKP_TRY(append(node_of(m, v), called));
  SKP_TRY(append(node_of(m, v), arguments));
  return push(m, v);
}

/* The same with named arguments, which say nothing here. */
static skp_status op_call_named(struct machine *m) {
  SKP_TRY(drop(m));
  return op_call(m);
}

static skp_status op_far(struct machine *m) {
  skp_pickle_value id, v;
  SKP_TRY(pop(m, &id));
  SKP_TRY(make(m, &v, SKP_PICKLE_FAR));
  SKP_TRY(append(node_of(m, v), id));
  return push(m, v);
}

static skp_status op_tuple(struct machine *m, int n) {
  skp_pickle_value v, item;
  SKP_TRY(make(m, &v, SKP_PICKLE_LIST));
  for (int i = 0; i < n; i++) SKP_TRY(append(node_of(m, v), 0));
  for (int i = n; i-- > 0;) {
    SKP_TRY(pop(m, &item));
    node_of(m, v)->items.at[i] = item;
  }
  return push(m, v);
}

static skp_status op_marked(struct machine *m, int kind) {
  skp_pickle_value v;
  SKP_TRY(make(m, &v, kind));
  SKP_TRY(take_marked(m, v));
  if (kind == SKP_PICKLE_DICT && node_of(m, v)->items.n % 2) return fail("has a key without a value");
  return push(m, v);
}

/* The value on top of the stack, if it is of that kind, else NULL. An object that gets keys with values is a
 * dictionary, whatever its class (defaultdict and its like). */
static skp_status top_of_kind(struct machine *m, struct skp_pickle_node **out, skp_pickle_kind kind) {
  skp_pickle_value v;
  SKP_TRY(top(m, &v));
  struct skp_pickle_node *node = node_of(m, v);
  if (kind == SKP_PICKLE_DICT && node->kind == SKP_PICKLE_CALL) {
    node->kind = SKP_PICKLE_DICT;
    node->items.n = 0;
  }
  *out = node->kind == kind ? node : NULL;
  return SKP_OK;
}

/* Adds what lies above the mark to the list or dictionary below it. What is added to an
 * object without a meaning is dropped. */
static skp_status op_extend(struct machine *m, int kind) {
  skp_pickle_value added;
  struct skp_pickle_node *to;
  SKP_TRY(make(m, &added, kind));
  SKP_TRY(take_marked(m, added));
  SKP_TRY(top_of_kind(m, &to, kind));
  size_t n = node_of(m, added)->items.n;
  if (kind == SKP_PICKLE_DICT && n % 2) return fail("has a key without a value");
  for (size_t i = 0; to && i < n; i++) SKP_TRY(append(to, node_of(m, added)->items.at[i]));
  return SKP_OK;
}

/* The same for one item, or one key and its value, without a mark. */
static skp_status op_add(struct machine *m, int kind) {
  skp_pickle_value item[2];
  struct skp_pickle_node *to;
  int n = kind == SKP_PICKLE_DICT ? 2 : 1;
  for (int i = n; i-- > 0;) SKP_TRY(pop(m, &item[i]));
  SKP_TRY(top_of_kind(m, &to, kind));
  for (int i = 0; to && i < n; i++) SKP_TRY(append(to, item[i]));
  return SKP_OK;
}

static skp_status memo_put(struct machine *m, uint64_t i) {
  skp_pickle_value v;
  SKP_TRY(top(m, &v));
  if (i > m->p->value.n) return fail("numbers a value beyond those that it has");
  while (m->memo.n <= i) {
    SKP_TRY(SKP_GROW(&m->memo));
    m->memo.at[m->memo.n - 1] = -1;
  }
  m->memo.at[i] = v;
  return SKP_OK;
}

static skp_status memo_get(struct machine *m, uint64_t i) {
  if (i >= m->memo.n || m->memo.at[i] < 0) return fail("names a value that it does not have");
  return push(m, m->memo.at[i]);
}

/* The value on top once more. */
static skp_status op_again(struct machine *m) {
  skp_pickle_value v;
  SKP_TRY(top(m, &v));
  return push(m, v);
}

/* All above the last mark goes. */
static skp_status op_drop_marked(struct machine *m) {
  SKP_TRY(op_marked(m, SKP_PICKLE_NONE));
  return drop(m);
}

static skp_status op_float(struct machine *m) {
  SKP_TRY(skip(m, 8));
  return push_new(m, SKP_PICKLE_NONE, 0);
}

static skp_status op_mark(struct machine *m) {
  SKP_TRY(SKP_GROW(&m->marks));
  m->marks.at[m->marks.n - 1] = m->stack.n;
  return SKP_OK;
}

static skp_status op_stop(struct machine *m) {
  m->done = true;
  return pop(m, &m->p->root);
}

static skp_status op_new(struct machine *m, int kind) { return push_new(m, (skp_pickle_kind)kind, 0); }
static skp_status op_bool(struct machine *m, int value) { return push_new(m, SKP_PICKLE_INT, value); }
static skp_status op_skip(struct machine *m, int bytes) { return skip(m, (uint64_t)bytes); }

/* Opcodes that read a number of `bytes` bytes and do one thing with it. */
static skp_status op_protocol(struct machine *m, int bytes) {
  uint64_t n;
  SKP_TRY(number(m, bytes, &n));
  return n >= 2 && n <= 5 ? SKP_OK : skp__fail(SKP_FORMAT, "the pickle has protocol %d; 2 to 5 are known", (int)n);
}

static skp_status op_put(struct machine *m, int bytes) {
  uint64_t n;
  SKP_TRY(number(m, bytes, &n));
  return memo_put(m, n);
}

static skp_status op_get(struct machine *m, int bytes) {
  uint64_t n;
  SKP_TRY(number(m, bytes, &n));
  return memo_get(m, n);
}

static skp_status op_put_next(struct machine *m) { return memo_put(m, m->memo.n); }

/* What an opcode does: `plain`, or `with` a number of its row. */
static const struct {
  skp_status (*plain)(struct machine *m);
  skp_status (*with)(struct machine *m, int n);
  int n;
} opcodes[256] = {
    [0x80] = {.with = op_protocol, .n = 1},
    [0x95] = {.with = op_skip, .n = 8}, /* frame */
    ['.'] = {op_stop},
    ['('] = {op_mark},
    ['0'] = {drop},
    ['1'] = {op_drop_marked},
    ['2'] = {op_again},
    ['N'] = {.with = op_new, .n = SKP_PICKLE_NONE},
    [0x88] = {.with = op_bool, .n = 1},
    [0x89] = {.with = op_bool, .n = 0},
    ['J'] = {.with = push_int, .n = 4},
    ['K'] = {.with = push_int, .n = 1},
    ['M'] = {.with = push_int, .n = 2},
    [0x8a] = {.with = push_long, .n = 1},
    [0x8b] = {.with = push_long, .n = 4},
    ['G'] = {op_float},
    ['X'] = {.with = push_text, .n = 4},
    [0x8c] = {.with = push_text, .n = 1},
    [0x8d] = {.with = push_text, .n = 8},
    ['U'] = {.with = skip_block, .n = 1},
    ['C'] = {.with = skip_block, .n = 1},
    ['T'] = {.with = skip_block, .n = 4},
    ['B'] = {.with = skip_block, .n = 4},
    [0x8e] = {.with = skip_block, .n = 8},
    [0x96] = {.with = skip_block, .n = 8},
    ['}'] = {.with = op_new, .n = SKP_PICKLE_DICT},
    [']'] = {.with = op_new, .n = SKP_PICKLE_LIST},
    [')'] = {.with = op_new, .n = SKP_PICKLE_LIST},
    [0x8f] = {.with = op_new, .n = SKP_PICKLE_NONE}, /* set */
    ['t'] = {.with = op_marked, .n = SKP_PICKLE_LIST},
    ['l'] = {.with = op_marked, .n = SKP_PICKLE_LIST},
    ['d'] = {.with = op_marked, .n = SKP_PICKLE_DICT},
    [0x91] = {.with = op_marked, .n = SKP_PICKLE_NONE}, /* frozenset */
    [0x85] = {.with = op_tuple, .n = 1},
    [0x86] = {.with = op_tuple, .n = 2},
    [0x87] = {.with = op_tuple, .n = 3},
    ['a'] = {.with = op_add, .n = SKP_PICKLE_LIST},
    ['s'] = {.with = op_add, .n = SKP_PICKLE_DICT},
    ['e'] = {.with = op_extend, .n = SKP_PICKLE_LIST},
    ['u'] = {.with = op_extend, .n = SKP_PICKLE_DICT},
    [0x90] = {.with = op_extend, .n = SKP_PICKLE_NONE}, /* items of a set */
    ['c'] = {op_global},
    [0x93] = {op_stack_global},
    ['R'] = {op_call},
    [0x81] = {op_call}, /* what is called makes an object, or is its class */
    [0x92] = {op_call_named},
    ['b'] = {drop}, /* an object's state: no meaning here */
    ['Q'] = {op_far},
    ['q'] = {.with = op_put, .n = 1},
    ['r'] = {.with = op_put, .n = 4},
    [0x94] = {op_put_next},
    ['h'] = {.with = op_get, .n = 1},
    ['j'] = {.with = op_get, .n = 4},
};

static skp_status step(struct machine *m) {
  const unsigned char op = *m->at++;
  if (opcodes[op].plain) return opcodes[op].plain(m);
  if (opcodes[op].with) return opcodes[op].with(m, opcodes[op].n);
  return skp__fail(SKP_FORMAT, "the pickle has the opcode 0x%02x, which no dictionary of tensors needs", op);
}

skp_status skp__pickle_parse(struct skp_pickle *out, const void *bytes, int64_t size, const char *name) {
  struct machine m = {.p = out, .at = bytes, .end = (const unsigned char *)bytes + size};
  skp_status status = SKP_OK;
  *out = (struct skp_pickle){.root = 0};
  if (size && *m.at != 0x80) status = fail("has protocol 0 or 1; 2 to 5 are known");
  while (status == SKP_OK && !m.done) status = m.at < m.end ? step(&m) : fail_short();
  SKP_FREE(&m.stack);
  SKP_FREE(&m.memo);
  SKP_FREE(&m.marks);
  return status == SKP_OK ? SKP_OK : skp__fail_in(status, "%s", name);
}

void skp__pickle_free(struct skp_pickle *p) {
  for (size_t i = 0; i < p->value.n; i++) {
    free(p->value.at[i].text);
    SKP_FREE(&p->value.at[i].items);
  }
  SKP_FREE(&p->value);
}

/* ---- looking at values ------------------------------------------------------------------------------------------- */

const struct skp_pickle_node *skp__pickle_item(const struct skp_pickle *p, const struct skp_pickle_node *node,
                                               size_t i) {
  return node && i < node->items.n ? &p->value.at[node->items.at[i]] : NULL;
}

const struct skp_pickle_node *skp__pickle_get(const struct skp_pickle *p, const struct skp_pickle_node *node,
                                              const char *key) {
  for (size_t i = 0; node && node->kind == SKP_PICKLE_DICT && i < node->items.n; i += 2) {
    const struct skp_pickle_node *k = skp__pickle_item(p, node, i);
    if (k->kind == SKP_PICKLE_TEXT && !strcmp(k->text, key)) return skp__pickle_item(p, node, i + 1);
  }
  return NULL;
}

bool skp__pickle_calls(const struct skp_pickle *p, const struct skp_pickle_node *node, const char *global) {
  const struct skp_pickle_node *called = node && node->kind == SKP_PICKLE_CALL ? skp__pickle_item(p, node, 0) : NULL;
  return called && called->kind == SKP_PICKLE_GLOBAL && !strcmp(called->text, global);
}
