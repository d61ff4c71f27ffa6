/* source.h: labelled images, as they lie where they lie. SPDX-License-Identifier: MIT
 *
 *   source (random access to images as they are stored) ─> loader (loader.h) ─> training loop */
#ifndef SKP_DATA_SOURCE_H
#define SKP_DATA_SOURCE_H

#include "data/image.h"
#include "data/walk.h"

/* Parts of a data set: to train on, to test with, to judge by while training. */
typedef enum skp_split { SKP_SPLIT_TRAIN, SKP_SPLIT_TEST, SKP_SPLIT_VALID, SKP_SPLITS } skp_split;

struct skp_damage;

/* Classes of a relabelled set that the network does not know, as far as there are images of them. */
struct skp_unknown {
  char **names; /* [classes], borrowed */
  int classes;
  int64_t images; /* of all of them; they have no label */
};

/* A set of labelled images, random access, safe to read from several threads. */
struct skp_source {
  char *name;         /* for people: "digits", or the folder */
  const char *kind;   /* of files that number classes alike wherever they lie, "CIFAR-10"; NULL: of no such */
  int64_t n;          /* samples */
  int H, W;           /* of each image; 0: they differ */
  int C;              /* of each image: 1 (grey) or 3 (RGB) */
  int classes;        /* every label is below it; 0: no image has one */
  char **class_names; /* [classes], never NULL */
  const char *place;  /* the folder of pictures that it is; NULL: it is none */
  char *remarks;      /* lines about what was passed over, for people; NULL: nothing was */
  bool numbered;      /* these are nothing but the numbers, as the set has no names */
  bool gathered;      /* somebody's own pictures, where data files have the parts that their makers meant */
  bool floats;        /* its images are no bytes, see skp_image.values */
  struct skp_unknown unknown;
  /* Delivers sample i as it is stored, and its label (-1: unknown). out NULL: only the label. A damaged image that may
   * be passed over gives SKP_OK and H = 0; it is noted in `damage`. */
  skp_status (*image)(const struct skp_source *s, int64_t i, struct skp_image *out, int32_t *label);
  /* (optional) What sample i is called, its file; the text lives as long as s. NULL slot: it has a number only. */
  const char *(*name_of)(const struct skp_source *s, int64_t i);
  /* (optional) Which of several sets sample i is of. NULL slot: it is one. */
  const char *(*set_of)(const struct skp_source *s, int64_t i);
  /* (optional) Sample i was delivered, but the present error shows that nothing can be made of it: from now on it is a
   * damaged image. SKP_OK: which is passed over. */
  skp_status (*spoilt)(const struct skp_source *s, int64_t i, skp_status why);
  struct skp_damage *damage;             /* NULL: its images cannot be damaged */
  void (*destroy)(struct skp_source *s); /* frees s and what its kind holds; skp__source_destroy frees the names */
};

/* Where files of a set lie, for the kinds of sets below; what one of them found out there for one part, for the others.
 */
struct skp__site {
  const char *path;
  void *known; /* NULL: nothing yet */
  void (*forget)(void *known);
};

/* A set whose parts are opened one after the other, of which nothing is looked for twice. */
struct skp__opening;
skp_status skp__opening_begin(struct skp__opening **out, const char *data);
/* As skp__source_open. */
skp_status skp__opening_part(struct skp_source **out, struct skp__opening *o, skp_split split);
void skp__opening_end(struct skp__opening *o); /* NULL is fine */

/* The sets that a name stands for, in fresh memory: "A + B" is two, as long as nothing is called so. */
skp_status skp__source_names(skp__names *out, const char *data);
/* Whether all of them are files, folders or built-in sets. */
bool skp__source_there(const char *data);
/* The same name with paths from the root of the file system, in fresh memory. */
skp_status skp__source_absolute(char **out, const char *data);
/* Opens "digits" or "shapes" (built in) or a folder whose content is recognised; ./digits is a folder of that name.
 * Nothing seeds a source's content: generated sets are the same everywhere and always. A set without that part gives
 * SKP_OK and a NULL source, unless it is the one to train on. The error for an unrecognised folder lists what was
 * looked for and what lies there. "A + B" opens both, as one. */
skp_status skp__source_open(struct skp_source **out, const char *data, skp_split split);
/* Whether it names a built-in set. */
bool skp__source_built_in(const char *data);
/* Number i of the built-in sets, by name; NULL: there is none of this number. */
const char *skp__source_known(size_t i);
void skp__source_destroy(struct skp_source *s); /* NULL is fine */
/* The set whose classes are learned: that of the images to train on, but where labels are mere numbers the one with the
 * most, as each knows only those in it. test may be NULL. */
const struct skp_source *skp__source_learned(const struct skp_source *train, const struct skp_source *test);
/* How many samples each class has, into of[classes]; those without a label count nowhere. */
skp_status skp__source_count(const struct skp_source *s, int64_t *of);
/* A class of whose images not one is sound cannot be learned: SKP_FORMAT, with the damaged ones. */
skp_status skp__source_check_classes(const struct skp_source *s);
enum { SKP_SAMPLE_NAME = 1024 };
/* What sample i is called, "SET: NAME" of several sets, whose names may be alike; where the source does not say, "#I".
 * `text` may receive it. */
const char *skp__source_name_of(const struct skp_source *s, int64_t i, char text[SKP_SAMPLE_NAME]);

/* Deals the images of a source, by a seed, into `fraction` of them to judge by, of each class alike, and the rest to
 * train on, both in the source's order. `whole` stays the caller's and must outlive both. One image of a class at least
 * is left to train on; SKP_USAGE if none would be held out. */
skp_status skp__source_split(struct skp_source **train, struct skp_source **valid, const struct skp_source *whole,
                             double fraction, uint64_t seed);

/* ---- what a network knows of their classes ----------------------------------------------------------------------- */

/* What a network knows of its classes. */
struct skp_labels {
  char **names; /* [known], of the first of them */
  int known, classes;
  char *kind; /* of the set that it learned, as in skp_source */
};
void skp__labels_free(struct skp_labels *l);
/* A view of `whole`, which must outlive it: its labels are the places of its classes' names among the network's, -1
 * where it knows none such; by_number: as they are. See relabel.c. */
skp_status skp__source_relabel_view(struct skp_source **out, const struct skp_source *whole,
                                    const struct skp_labels *network, bool by_number);
/* Whether that goes by number unasked: the network knows no names, or learned the same kind of files under the numbers
 * that these have names for, or the other way round. */
bool skp__labels_by_number(const struct skp_labels *network, const struct skp_source *s);
/* Which of the classes of these keys is the one of that key, -1: none; "03" and "3" are the same, see relabel.c. */
int skp__class_find(char *const *known, int n, const char *key);
/* Whether all names are whole numbers. */
bool skp__names_are_numbers(char *const *names, int n);
/* The form of a name by which classes are compared, in fresh memory. */
skp_status skp__class_key(char **out, const char *name);

/* ---- the parts, one file each ------------------------------------------------------------------------------------ */

/* Those that look whether there is such a set fail with SKP_MEMORY alone. */

skp_status skp__source_digits(struct skp_source **out, skp_split split);
skp_status skp__source_shapes(struct skp_source **out, skp_split split);
/* FOLDER, or FOLDER/NAME where it holds several sets: emnist-letters. */
skp_status skp__source_idx(struct skp_source **out, struct skp__site *site, skp_split split);
skp_status skp__source_idx_found(bool *out, const char *data);
/* CIFAR-10 and CIFAR-100 (fine labels). */
skp_status skp__source_cifar(struct skp_source **out, struct skp__site *site, skp_split split);
skp_status skp__source_cifar_found(bool *out, const char *folder);
/* Those as Python pickles: opening them fails, with a text that says what to do. */
skp_status skp__source_pickles(struct skp_source **out, struct skp__site *site, skp_split split);
skp_status skp__source_pickles_found(bool *out, const char *folder);
/* Folders of pictures, one a class; see layout.c and folder.c. */
skp_status skp__source_folder(struct skp_source **out, struct skp__site *site, skp_split split);
skp_status skp__source_folder_found(bool *out, const char *folder);
/* FILE.csv, a list of pictures with their labels; see csv.c. */
skp_status skp__source_csv(struct skp_source **out, struct skp__site *site, skp_split split);
skp_status skp__source_csv_found(bool *out, const char *file);
/* FILE.tar, or folders of such archives; see shards.c. */
skp_status skp__source_shards(struct skp_source **out, struct skp__site *site, skp_split split);
skp_status skp__source_shards_found(bool *out, const char *data);
/* All of these as one; they are taken over, also where this fails. See several.c. */
skp_status skp__source_several(struct skp_source **out, const char *name, struct skp_source *const *parts, size_t n);
/* A built-in set. */
skp_status skp__source_generated(struct skp_source **out, const char *name, skp_split split);
/* Images in the caller's memory, which must outlive the source: bytes, or floats that stand for bytes / 255. Bytes have
 * 1 or 3 channels. labels NULL: there are none. names NULL: numbers. */
struct skp_held_images {
  const uint8_t *bytes; /* {n, H, W, C}; NULL: floats */
  const float *floats;
  int64_t n;
  int H, W, C;
  const int32_t *labels; /* {n} */
  int classes;
  const char *const *names; /* [classes] */
};
skp_status skp__source_memory(struct skp_source **out, const struct skp_held_images *m);

/* Names "0", "1", … for a source of `classes` classes, which then is numbered. */
skp_status skp__source_name_by_number(struct skp_source *s);

#endif
