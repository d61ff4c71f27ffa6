/* names.h: the names of a file's tensors, sorted, and what stands in front of all of them.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_CHECKPOINT_NAMES_H
#define SKP_TRAIN_CHECKPOINT_NAMES_H

#include "graph/graph.h"
#include "io/safetensors.h"

struct skp__file_names {
  const struct skp_st_file *file;
  const struct skp_st_tensor **sorted; /* the file's, by name */
  char prefix[64];                     /* of the file's names, which the model's lack */
};

/* Sorts the names of a file, which is borrowed. The prefix is what the model's weights have before theirs there: what
 * wraps a network in PyTorch puts its own name before all others (module., _orig_mod., backbone.); "": none. */
skp_status skp__file_names_create(struct skp__file_names *out, const struct skp_st_file *file,
                                  const struct skp_graph *model);
void skp__file_names_destroy(struct skp__file_names *n);

/* The file's tensor of a name of the model; NULL: it has none. */
const struct skp_st_tensor *skp__file_names_find(const struct skp__file_names *n, const char *name);

#endif
