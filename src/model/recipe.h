/* recipe.h: how a model is trained. One list makes the struct, what a model file may say, the command line's options
 * and what a checkpoint keeps. SPDX-License-Identifier: MIT */
#ifndef SKP_MODEL_RECIPE_H
#define SKP_MODEL_RECIPE_H

#include "data/augment.h"
#include "ops/op.h"

/* X(kind, field, default, least, most, help). Command-line options have a dash for each underscore. The words that a
 * field takes are not in its help: see struct skp_recipe_choice. */
#define SKP_RECIPE_LIST(X)                                                                                             \
  X(TEXT, data, "", 0, 0,                                                                                              \
    "a folder of images or data files, a list of pictures (FILE.csv), or a built-in set; several are one")             \
  X(INT, batch, "128", 1, 1 << 20, "images in a step")                                                                 \
  X(INT, epochs, "10", 0, 1 << 20, "how often each image is seen")                                                     \
  X(INT, accumulate, "1", 1, 1 << 20, "micro-batches that a step's images are divided into, for lack of memory")       \
  X(TEXT, optimizer, "sgd", 0, 0, "how weights are updated")                                                           \
  X(REAL, lr, "0.01", 0, 1e6, "learning rate")                                                                         \
  X(TEXT, schedule, "constant", 0, 0, "what becomes of the learning rate")                                             \
  X(REAL, warmup, "0", 0, 1e6, "epochs in which the learning rate climbs first")                                       \
  X(INT, lr_step, "0", 0, 1 << 20, "epochs between two steps of the schedule step")                                    \
  X(NUMBERS, milestones, "", 1, 1 << 20, "epochs after which multi_step takes its steps")                              \
  X(REAL, gamma, "0.1", 0, 1, "factor of each step, or each epoch (exponential)")                                      \
  X(REAL, lr_min, "0", 0, 1e6, "where linear and cosine end, and plateau's least")                                     \
  X(INT, plateau_patience, "10", 0, 1 << 20, "epochs without a better result that plateau waits out")                  \
  X(REAL, plateau_threshold, "1e-4", 0, 1, "share by which a result must be better for plateau")                       \
  X(REAL, valid_split, "auto", 0, SKP_BELOW_ONE,                                                                       \
    "share of the images held out to judge by; auto: a tenth of pictures in folders that hold none for it")            \
  X(BOOL, balanced, "false", 0, 1, "show each class equally often, however many images it has")                        \
  X(INT, patience, "0", 0, 1 << 20, "epochs without a better result that end the run; 0: none do")                     \
  X(REAL, momentum, "0", 0, 1, "of sgd")                                                                               \
  X(BOOL, nesterov, "false", 0, 1, "Nesterov's momentum in sgd")                                                       \
  X(REAL, weight_decay, "0", 0, 1e6, "pull of the weights towards zero")                                               \
  X(BOOL, no_decay, "false", 0, 1, "no weight decay of biases and batchnorms")                                         \
  X(REAL, clip_norm, "0", 0, 1e6, "scale all gradients down to this norm where it is larger; 0: do not")               \
  X(TEXT, on_nan, "stop", 0, 0,                                                                                        \
    "when a loss or gradients are not finite; skip: leave the step out; rollback: go back, with half the rate")        \
  X(REAL, ema, "0", 0, SKP_BELOW_ONE,                                                                                  \
    "decay of the running average of the weights, which is tested and saved; 0: none")                                 \
  X(TEXT, freeze, "", 0, 0, "layers or parameters to leave as they are: layer1.*,conv1")                               \
  X(BOOL, freeze_bn, "false", 0, 1, "frozen batchnorms use their running statistics and keep them")                    \
  X(BOOL, sync_bn, "false", 0, 1, "where several ranks train, batchnorms learn from the images of all of them")        \
  X(TEXT, lr_mult, "", 0, 0, "factors of the learning rate: layer4=0.1,fc=10")                                         \
  X(REAL, beta1, "0.9", 0, SKP_BELOW_ONE, "decay of the first moment of adam, adamw and lion")                         \
  X(REAL, beta2, "0.999", 0, SKP_BELOW_ONE, "of the second one; of lion's only one")                                   \
  X(REAL, eps, "1e-8", 0, 1, "added to adam's divisor")                                                                \
  X(REAL, label_smoothing, "0", 0, SKP_BELOW_ONE, "share of the target spread over all classes")                       \
  X(NUMBERS, mean, "0", -1e6, 1e6,                                                                                     \
    "subtracted from pixels / 255: one number, one a channel, or that of a set, whose std then divides them")          \
  X(NUMBERS, std, "1", 1e-6, 1e6, "divides them then, one number or one a channel")                                    \
  X(TEXT, precision, "float", 0, 0, "of activations and products; mixed: bfloat16, but sums and weights in float")     \
  X(INT, resize, "0", 0, 1 << 14, "shorter side of the images before the crop; 0: as large as the input")              \
  X(INT, test_views, "1", 1, 4, "views of a test image whose predictions are averaged: moved by a pixel, mirrored")    \
  SKP_AUGMENT_LIST(X) /* skp_model_leave_images leaves these at their defaults */

#define SKP_BELOW_ONE 0.9999999
/* "auto", which a number may be whose default it is: what it means is found out when the data are known. */
#define SKP_RECIPE_AUTO (-1.0)

typedef char skp__recipe_TEXT[256];
typedef int64_t skp__recipe_INT;
typedef double skp__recipe_REAL;
typedef bool skp__recipe_BOOL;
enum { SKP_RECIPE_NUMBERS_MOST = 16, SKP_RECIPE_TEXT_MOST = 512 /* bytes of an entry as text */ };
typedef struct {
  int n;
  float at[SKP_RECIPE_NUMBERS_MOST]; /* the last of the n repeats */
} skp__recipe_NUMBERS;

struct skp_recipe {
#define X(kind, field, fallback, least, most, help) skp__recipe_##kind field;
  SKP_RECIPE_LIST(X)
#undef X
  int size;              /* side of the square input */
  int channels, classes; /* of the input; of the network's answer */
};

typedef enum skp_recipe_kind {
  SKP_RECIPE_TEXT,
  SKP_RECIPE_INT,
  SKP_RECIPE_REAL,
  SKP_RECIPE_BOOL,
  SKP_RECIPE_NUMBERS
} skp_recipe_kind;

struct skp_recipe_field {
  const char *name;
  skp_recipe_kind kind;
  size_t offset; /* in struct skp_recipe */
  const char *fallback;
  double least, most;
  const char *help;
};

/* All fields in the order of the list; name NULL ends it. */
extern const struct skp_recipe_field skp__recipe_fields[];

/* The field of that name; NULL: there is none. */
const struct skp_recipe_field *skp__recipe_find(const char *name);
void skp__recipe_default(struct skp_recipe *r);
/* Mean and standard deviation of the first 4 channels; returns how many the recipe says, from 1 to 4. */
int skp__recipe_norm(const struct skp_recipe *r, float mean[4], float std[4]);
/* Whether they change pixels: mean 0 and std 1 do not. */
bool skp__recipe_normalises(const struct skp_recipe *r);
/* Whether a mean is the name of a known set, which says std too. */
bool skp__recipe_names_pixels(const char *mean);
/* Whether maps may be stored as bfloat16. */
bool skp__recipe_is_mixed(const struct skp_recipe *r);
/* Whether steps that are not finite are left out; whether the run goes back to where it was sound. */
bool skp__recipe_skips(const struct skp_recipe *r);
bool skp__recipe_rolls_back(const struct skp_recipe *r);
/* What happens to the training images. */
struct skp_augment skp__recipe_augment(const struct skp_recipe *r);
void skp__recipe_no_augmentation(struct skp_recipe *r);
/* Sets a field from text: "adam", "0.01", "true", "0.5,0.25". An unknown field is SKP_USAGE with the list of those that
 * there are, and so is a value of the wrong kind or outside the range. Mean and std also take the names of known sets
 * (imagenet, cifar10, cifar100, mnist); that of mean sets std too, so set std after it. */
skp_status skp__recipe_set(struct skp_recipe *r, const char *name, const char *value);
/* Writes a field as such a text and returns it. */
const char *skp__recipe_get(char *text, size_t size, const struct skp_recipe *r, const struct skp_recipe_field *field);
/* Words that a field takes, and other fields that belong to some of them. */
struct skp_recipe_choice {
  const char *what; /* the field: "optimizer" */
  int n;
  const char *(*name)(int i);             /* the words 0 … n - 1; NULL: there is none of this number */
  bool (*uses)(int i, const char *field); /* NULL: no field belongs to any */
};
/* The choice that a field is, of those that are made here (the optimizer, on_nan, mean and std, the precision); NULL:
 * none. */
const struct skp_recipe_choice *skp__recipe_choice(const char *field);
/* SKP_USAGE: there is no such word; which there are. */
skp_status skp__recipe_fail_choice(const struct skp_recipe_choice *choice, const char *said);
/* Sets the fields that belong to one value or another back to their defaults. */
void skp__recipe_reset(struct skp_recipe *r, const struct skp_recipe_choice *choice);
/* A field that says something which the chosen value, number i, does not use is a
 * mistake: SKP_USAGE, and which ones would. */
skp_status skp__recipe_check_unused(const struct skp_recipe *r, const struct skp_recipe_choice *choice, int i);
/* Sets all that belongs to optimizers back to the defaults. */
void skp__recipe_reset_optimizer(struct skp_recipe *r);
/* Whether the entries go together and fit the network's input; SKP_USAGE says which do not. */
skp_status skp__recipe_check(const struct skp_recipe *r);
/* The optimizer's op with its attributes; SKP_USAGE if there is none of that name or if
 * the fields contradict each other. */
skp_status skp__recipe_optimizer(const struct skp_op **op, union skp_attrs *attrs, const struct skp_recipe *r);

#endif
