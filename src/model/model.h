/* model.h: a Lua model file becomes a forward graph and a recipe. SPDX-License-Identifier: MIT */
#ifndef SKP_MODEL_MODEL_H
#define SKP_MODEL_MODEL_H

#include "graph/graph.h"
#include "model/recipe.h"
#include <stdio.h>

struct skp_setting { /* NAME=VALUE: what an argument of the model file is */
  const char *name, *value;
};

struct skp_model {
  char *name;   /* the file's stem */
  char *source; /* the Lua text, kept in checkpoints */
  struct skp_recipe recipe;
  struct skp_graph *graph; /* forward, batch 1, collected */
  bool takes_classes;      /* the file has an argument `classes` */
};

/* A network that comes along by a name of its own: a file of models/ with settings (NULL ends them). */
struct skp_known_model {
  const char *name, *file;
  struct skp_setting set[4];
};
/* The one of that name, where no file is called so; NULL: there is none. */
const struct skp_known_model *skp__model_known(const char *name);

/* Number i of all names by which networks come along; NULL: there is none of this number. */
const char *skp__model_name(size_t i);

/* Runs a model file, or one that comes along by its stem (resnet), where there is no file of that name, or takes the
 * network of an ONNX file. `size` 0: the recipe's. Lua's print goes to `print_to` (NULL: nowhere). Errors give file and
 * line; an unknown setting lists those that the file knows. */
skp_status skp__model_load(struct skp_model **out, const char *path, const struct skp_setting *set, size_t sets,
                           int size, FILE *print_to);
/* The same without the network, before whose number of classes is known: a recipe and an
 * empty graph. Nothing is printed. */
skp_status skp__model_load_head(struct skp_model **out, const char *path);
/* The same of a text; `name` as below. */
skp_status skp__model_parse_head(struct skp_model **out, const char *name, const char *text);
/* A whole one from text, as checkpoints carry it. `name` stands for the path in errors. */
skp_status skp__model_parse(struct skp_model **out, const char *name, const char *text, const struct skp_setting *set,
                            size_t sets, int size, FILE *print_to);
void skp__model_destroy(struct skp_model *m); /* NULL is fine */

/* Initial values of the flat params and state (host memory of the flat size): what each says (struct skp_tensor). A
 * pure function of seed and the parameter's name. */
void skp__model_init(const struct skp_graph *g, float *params, float *state, uint64_t seed);

/* What the recipe says of single parameters (freeze, freeze_bn, lr_mult, no_decay), for a training instance that is not
 * yet fused: sets the factors of its params and puts frozen batchnorms into evaluation.
 * SKP_USAGE for a pattern that fits nothing. */
skp_status skp__recipe_select(struct skp_graph *g, const struct skp_recipe *r);

/* Between a parameter's layout in memory and in files (see skp_tensor.file_rank). */
int skp__param_file_shape(const struct skp_tensor *t, int64_t dim[4]); /* returns the rank */
void skp__param_to_file(float *file, const float *memory, const struct skp_tensor *t);
void skp__param_from_file(float *memory, const float *file, const struct skp_tensor *t);

#endif
