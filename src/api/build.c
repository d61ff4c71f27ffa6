/* build.c: networks put together by calls. SPDX-License-Identifier: MIT
 *
 * The calls write the text of a model file, a line a layer, which skp_build_end runs. So a layer is defined once, for
 * files and for calls, and a checkpoint carries what rebuilds the network. */
#include "api/api.h"
#include "base/memory.h"
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct skp_api_builder {
  struct skp__memory text;
  char *name, *mistake;
  int layers;
};

static void fail(skp_builder *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The first mistake is the one that is told. */
static void fail(skp_builder *b, const char *format, ...) {
  va_list args;
  if (b->mistake) return;
  va_start(args, format);
  if (vasprintf(&b->mistake, format, args) < 0) b->mistake = NULL;
  va_end(args);
}

static bool only(const char *word, size_t n, const char *allowed) { return n && strspn(word, allowed) >= n; }

static bool is_word(const char *word, size_t n) {
  return only(word, n, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");
}

static bool is_number(const char *word, size_t n) {
  char text[32], *end;
  if (n >= sizeof text || !only(word, n, "0123456789.+-eE")) return false;
  snprintf(text, sizeof text, "%.*s", (int)n, word);
  strtod(text, &end);
  return end != text && !*end;
}

static bool is_flag(const char *word, size_t n) {
  return (n == 4 && strncmp(word, "true", n) == 0) || (n == 5 && strncmp(word, "false", n) == 0);
}

/* NAME=VALUE as an entry of Lua's table. */
static bool put_option(skp_builder *b, const char *word, size_t n) {
  const char *equals = memchr(word, '=', n);
  const size_t name = (size_t)(equals - word), value = n - name - 1;
  const bool bare = is_number(equals + 1, value) || is_flag(equals + 1, value);
  if (!only(word, name, "abcdefghijklmnopqrstuvwxyz0123456789_") || isdigit(*word) || !is_word(equals + 1, value))
    return false;
  fprintf(b->text.to, "%.*s = %s%.*s%s, ", (int)name, word, bare ? "" : "\"", (int)value, equals + 1, bare ? "" : "\"");
  return true;
}

/* Numbers stand before the table of options. */
static bool put_words(skp_builder *b, const char *word) {
  bool options = false, right = true;
  for (size_t n; right && *(word += strspn(word, " ")); word += n) {
    n = strcspn(word, " ");
    const bool option = memchr(word, '=', n);
    fprintf(b->text.to, "%s", option && !options ? ", {" : !option ? ", " : "");
    options = options || option;
    right = option ? put_option(b, word, n) : !options && is_number(word, n);
    if (right && !option) fprintf(b->text.to, "%.*s", (int)n, word);
  }
  fprintf(b->text.to, options ? "})\n" : ")\n");
  return right;
}

static bool put_inputs(skp_builder *b, const skp_tensor *x, int n) {
  bool right = n > 0;
  for (int i = 0; i < n && right; i++) {
    right = x[i] >= 0 && x[i] <= b->layers;
    fprintf(b->text.to, "%sv[%d]", i ? ", " : "", x[i]);
  }
  return right;
}

skp_tensor skp_build_join(skp_builder *builder, const skp_tensor *x, int n, const char *layer) {
  const size_t name = strcspn(layer, " ");
  fprintf(builder->text.to, "v[%d] = nn.%.*s(", builder->layers + 1, (int)name, layer);
  if (!only(layer, name, "abcdefghijklmnopqrstuvwxyz0123456789_"))
    fail(builder, "%s:%d: A layer begins with its name (\"conv2d 16 kernel=3\"), not \"%s\".", builder->name,
         builder->layers + 1, layer);
  if (!put_inputs(builder, x, n))
    fail(builder, "%s:%d: \"%s\" takes what earlier layers gave, or SKP_IMAGES.", builder->name, builder->layers + 1,
         layer);
  if (!put_words(builder, layer + name))
    fail(builder, "%s:%d: In \"%s\" words are numbers, then NAME=VALUE.", builder->name, builder->layers + 1, layer);
  return ++builder->layers;
}

skp_tensor skp_build_layer(skp_builder *builder, skp_tensor x, const char *layer) {
  return skp_build_join(builder, &x, 1, layer);
}

static void close_builder(skp_builder *b) {
  (void)skp__memory_close(&b->text);
  free(b->name);
  free(b->text.text);
  free(b->mistake);
  free(b);
}

skp_status skp_build_begin(skp_builder **out, const char *name, int size, int channels) {
  skp_builder *b;
  *out = NULL;
  SKP_TRY(skp__alloc(&b, 1, sizeof *b));
  skp_status status = skp__memory_open(&b->text) ? skp__strdup(&b->name, name) : skp__fail_memory("a network", 0);
  if (status == SKP_OK) /* the first layer goes on in this line, so that it is the first */
    fprintf(b->text.to, "return {input = {size = %d, channels = %d}, network = function(x) local v = {[0] = x} ", size,
            channels);
  if (status == SKP_OK)
    *out = b;
  else
    close_builder(b);
  return status;
}

static skp_status end(skp_model **out, skp_builder *b, skp_tensor logits) {
  if (logits < 0 || logits > b->layers) fail(b, "%s: the network answers with the output of a layer.", b->name);
  if (b->mistake) return skp__fail(SKP_USAGE, "%s", b->mistake);
  fprintf(b->text.to, "return v[%d] end}\n", logits);
  if (!skp__memory_close(&b->text)) return skp__fail_memory("a network", b->text.bytes);
  return skp_model_build(out, b->name, b->text.text, NULL);
}

skp_status skp_build_end(skp_model **out, skp_builder *builder, skp_tensor logits) {
  if (out) *out = NULL;
  skp_status status = out ? end(out, builder, logits) : SKP_OK;
  close_builder(builder);
  return status;
}
