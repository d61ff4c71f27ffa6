/* torch_dictionary.c: which of a pickle's dictionaries is that of a network's weights, and what in it is a tensor.
 * SPDX-License-Identifier: MIT */
#include "io/torch.h"
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 8 };

/* Calls that make a tensor, and whose arguments begin with storage, offset, size, stride. */
static bool makes_tensor(const char *global) {
  static const char *const makers[] = {"torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_tensor_v3",
                                       "torch._utils _rebuild_qtensor"};
  bool found = false;
  for (size_t i = 0; global && i < sizeof makers / sizeof *makers; i++) found = found || !strcmp(global, makers[i]);
  return found;
}

/* Parameters wrap a call that makes one. */
const struct skp_pickle_node *skp__torch_tensor(const struct skp_pickle *p, const struct skp_pickle_node *node) {
  for (int depth = 0; depth < 3 && node && node->kind == SKP_PICKLE_CALL; depth++) {
    const struct skp_pickle_node *called = skp__pickle_item(p, node, 0), *arguments = skp__pickle_item(p, node, 1),
                                 *first = skp__pickle_item(p, arguments, 0);
    if (makes_tensor(called->text)) return arguments;
    if (skp__pickle_calls(p, node, "torch._tensor _rebuild_from_type_v2"))
      return first && makes_tensor(first->text) ? skp__pickle_item(p, arguments, 2) : NULL;
    bool parameter = skp__pickle_calls(p, node, "torch._utils _rebuild_parameter") ||
                     skp__pickle_calls(p, node, "torch._utils _rebuild_parameter_with_state");
    node = parameter ? first : NULL;
  }
  return NULL;
}

static size_t count_tensors(const struct skp_pickle *p, const struct skp_pickle_node *node) {
  size_t n = 0;
  for (size_t i = 1; i < node->items.n; i += 2) n += skp__torch_tensor(p, skp__pickle_item(p, node, i)) != NULL;
  return n;
}

/* A search for the dictionary with most tensors. */
struct search {
  const struct skp_pickle *p;
  bool all;                           /* under every key, not only those that trainers use for weights */
  bool *seen;                         /* [values]: a dictionary may lie in itself */
  const struct skp_pickle_node *best; /* NULL: none so far has tensors */
  size_t most;
};

static bool usual_key(const struct skp_pickle_node *key) {
  static const char *const keys[] = {"state_dict", "model_state_dict", "model",   "net",
                                     "network",    "module",           "weights", "params"};
  bool found = false;
  for (size_t i = 0; key->kind == SKP_PICKLE_TEXT && i < sizeof keys / sizeof *keys; i++)
    found = found || !strcmp(key->text, keys[i]);
  return found;
}

static void search(struct search *s, const struct skp_pickle_node *node, int depth) {
  bool *seen = &s->seen[node - s->p->value.at];
  if (node->kind != SKP_PICKLE_DICT || *seen || depth == MAX_DEPTH) return;
  *seen = true;
  size_t n = count_tensors(s->p, node);
  if (n > s->most) s->best = node;
  if (n > s->most) s->most = n;
  for (size_t i = 0; i < node->items.n; i += 2)
    if (s->all || usual_key(skp__pickle_item(s->p, node, i))) search(s, skp__pickle_item(s->p, node, i + 1), depth + 1);
}

/* Says what the file holds instead. */
static skp_status fail_no_tensors(const struct skp_pickle *p, const char *name) {
  const struct skp_pickle_node *root = &p->value.at[p->root], *called = skp__pickle_item(p, root, 0);
  if (root->kind == SKP_PICKLE_CALL && called->text && !skp__torch_tensor(p, root))
    return skp__fail(
        SKP_UNSUPPORTED,
        "%s holds an object of Python (%.150s), not a dictionary of tensors. If you trust where it is from, this "
        "line of Python takes its weights out: import torch; torch.save(torch.load(\"%s\", "
        "weights_only=False).state_dict(), "
        "\"%s.weights.pth\")",
        name, called->text, name, name);
  return skp__fail(SKP_UNSUPPORTED,
                   "%s holds %s, not a dictionary of tensors. In Python: torch.save(model.state_dict(), "
                   "\"weights.pth\")",
                   name,
                   root->kind == SKP_PICKLE_DICT   ? "a dictionary without tensors"
                   : root->kind == SKP_PICKLE_CALL ? "a single tensor"
                   : root->kind == SKP_PICKLE_LIST ? "a list"
                                                   : "something else");
}

/* It is the root, or stands under the keys that trainers use. Where those hold none, it may be under any key, so that
 * neither the optimizer's memory nor a running average is taken where the weights are there too. */
skp_status skp__torch_dictionary(const struct skp_pickle_node **out, const struct skp_pickle *p, const char *name) {
  const struct skp_pickle_node *root = &p->value.at[p->root];
  struct search s = {.p = p};
  SKP_TRY(skp__alloc(&s.seen, p->value.n, sizeof *s.seen));
  search(&s, root, 0);
  if (!s.best || s.best == root) {
    memset(s.seen, 0, p->value.n * sizeof *s.seen);
    s.all = true;
    search(&s, root, 0);
  }
  free(s.seen);
  *out = s.best;
  return s.best ? SKP_OK : fail_no_tensors(p, name);
}
