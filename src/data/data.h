/* data.h: labelled images, from where they lie to batches ready for the device. SPDX-License-Identifier: MIT
 *
 *   source (random access to images as they are stored) ─> loader (order, threads; makes them what the network takes,
 *   augmentation; a bounded ring of batches) ─> training loop */
#ifndef SKP_DATA_DATA_H
#define SKP_DATA_DATA_H

#include "base/error.h"
#include "base/text.h"
#include "data/augment.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Parts of a data set: to train on, to test with, to judge by while training. */
typedef enum skp_split { SKP_SPLIT_TRAIN, SKP_SPLIT_TEST, SKP_SPLIT_VALID, SKP_SPLITS } skp_split;

/* An image that one thread uses again and again, so that memory is taken only where one is larger than all before it.
 * Begins all zero, ends with skp__image_free. */
struct skp_image {
  uint8_t *pixels; /* H·W·C bytes, row-major HWC */
  int H, W, C;
  bool faint;          /* decoded: 16 bits hold 12 or fewer, but the file does not say so */
  size_t room;         /* bytes at pixels */
  const float *values; /* not NULL: they stand for pixels / 255, and nothing but normalising can be done; borrowed */
};

/* Makes it an image of this size; its content is undefined then. */
skp_status skp__image_room(struct skp_image *image, int H, int W, int C);
void skp__image_free(struct skp_image *image);
/* Exchanges their pixels; decoders stay where they are. */
void skp__image_swap(struct skp_image *a, struct skp_image *b);

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
  struct skp_unknown unknown;
  /* Delivers sample i as it is stored, and its label (-1: unknown). out NULL: only the label. A damaged image that may
   * be passed over gives SKP_OK and H = 0; it is noted in `damage`. */
  skp_status (*image)(const struct skp_source *s, int64_t i, struct skp_image *out, int32_t *label);
  /* (optional) What sample i is called, its file; the text lives as long as s. NULL slot: it has a number only. */
  const char *(*name_of)(const struct skp_source *s, int64_t i);
  /* (optional) Sample i was delivered, but the present error shows that nothing can be made of it: from now on it is a
   * damaged image. SKP_OK: which is passed over. */
  skp_status (*spoilt)(const struct skp_source *s, int64_t i, skp_status why);
  struct skp_damage *damage;             /* NULL: its images cannot be damaged */
  void (*destroy)(struct skp_source *s); /* frees s and what its kind holds; skp__source_destroy frees the names */
};

/* Opens "digits" or "shapes" (built in) or a folder whose content is recognised; ./digits is a folder of that name.
 * Nothing seeds a source's content: generated sets are the same everywhere and always. A set without that part gives
 * SKP_OK and a NULL source, unless it is the one to train on. The error for an unrecognised folder lists what was
 * looked for and what lies there. */
skp_status skp__source_open(struct skp_source **out, const char *data, skp_split split);
/* Whether it names a built-in set. */
bool skp__source_built_in(const char *data);
void skp__source_destroy(struct skp_source *s); /* NULL is fine */
/* The set whose classes are learned: that of the images to train on, but where labels are mere numbers the one with the
 * most, as each knows only those in it. test may be NULL. */
const struct skp_source *skp__source_learned(const struct skp_source *train, const struct skp_source *test);
/* How many samples each class has, into of[classes]; those without a label count nowhere. */
skp_status skp__source_count(const struct skp_source *s, int64_t *of);
/* What sample i is called; where the source does not say, "#I", written into `text`. */
const char *skp__source_name_of(const struct skp_source *s, int64_t i, char *text, size_t size);

/* Deals the images of a source, by a seed, into `share` of them to judge by, of each class alike, and the rest to train
 * on, both in the source's order. `whole` stays the caller's and must outlive both. One image of a class at least is
 * left to train on; SKP_USAGE if none would be held out. */
skp_status skp__source_split(struct skp_source **train, struct skp_source **valid, const struct skp_source *whole,
                             double share, uint64_t seed);

/* What a network knows of its classes. */
struct skp_labels {
  char **names; /* [known], of the first of them */
  int known, classes;
  char *kind; /* of the set that it learned, as in skp_source */
};
void skp__labels_free(struct skp_labels *l);
/* A view of `whole`, which is taken over, also where this fails: its labels are the places of its classes' names among
 * the network's, -1 where it knows none such; by_number: as they are. See relabel.c. */
skp_status skp__source_relabel(struct skp_source **out, struct skp_source *whole, const struct skp_labels *network,
                               bool by_number);
/* The same of a set that stays the caller's and must outlive the view. */
skp_status skp__source_relabel_view(struct skp_source **out, const struct skp_source *whole,
                                    const struct skp_labels *network, bool by_number);
/* Whether that goes by number unasked: the network knows no names, or learned the same kind of files under the numbers
 * that these have names for, or the other way round. */
bool skp__labels_by_number(const struct skp_labels *network, const struct skp_source *s);
/* The form of a name by which classes are compared, in fresh memory. */
skp_status skp__class_key(char **out, const char *name);

/* ---- the parts, one file each ------------------------------------------------------------------------------------ */

skp_status skp__source_digits(struct skp_source **out, skp_split split);
skp_status skp__source_shapes(struct skp_source **out, skp_split split);
/* FOLDER, or FOLDER/NAME where it holds several sets: emnist-letters. */
skp_status skp__source_idx(struct skp_source **out, const char *data, skp_split split);
bool skp__source_idx_found(const char *data);
/* CIFAR-10 and CIFAR-100 (fine labels). */
skp_status skp__source_cifar(struct skp_source **out, const char *folder, skp_split split);
bool skp__source_cifar_found(const char *folder);
/* Those as Python pickles: opening them fails, with a text that says what to do. */
skp_status skp__source_pickles(struct skp_source **out, const char *folder, skp_split split);
bool skp__source_pickles_found(const char *folder);
/* Folders of pictures, one a class; see layout.c and folder.c. */
skp_status skp__source_folder(struct skp_source **out, const char *folder, skp_split split);
bool skp__source_folder_found(const char *folder);
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

/* One IDX file of unsigned bytes, plain or gzip. */
struct skp_idx {
  int64_t dim[3];
  uint8_t *values; /* dim[0]·dim[1]·…; freed with free() */
};
/* Reads a file that must have `rank` dimensions (1 or 3), none of them 0; the others become 1. At most 4 GiB. */
skp_status skp__idx_read(struct skp_idx *out, const char *path, int rank);

/* Names "0", "1", … for a source of `classes` classes, which then is numbered. */
skp_status skp__source_name_by_number(struct skp_source *s);

/* Whether a file's name ends as those of the images do that can be decoded. */
bool skp__image_named(const char *name);
/* Those endings (".jpg .jpeg …"), and what the formats are called ("JPEG, PNG, …"). */
const char *skp__image_endings(void);
const char *skp__image_formats(void);
/* Decodes a picture of any of the formats with C = 1 (grey) or 3 (RGB) as asked (`channels`). Its first bytes tell the
 * format, not its name. The pixels are those of Pillow's convert("RGB"): alpha is dropped, of animations the first
 * picture is taken; but 16 bits become the upper 8, of grey, too. Hostile sizes are refused (limit 1 << 28 pixels). */
skp_status skp__image_read(struct skp_image *out, const char *path, int channels);
/* The same from memory; `name` stands for the path in errors. */
skp_status skp__image_decode(struct skp_image *out, const void *bytes, size_t size, const char *name, int channels);
/* Reads no more than the header: H, W, and C as it is stored; there are no pixels. */
skp_status skp__image_inspect(struct skp_image *out, const char *path);
/* A window of the image resized to H × W: bilinear and antialiased as torchvision's. */
skp_status skp__image_scale(struct skp_image *out, const struct skp_image *in, int H, int W,
                            const struct skp__box *window);
/* The size that makes the shorter side `shorter`, as torchvision's Resize. */
void skp__fit(int *H, int *W, int shorter);
/* Leaves a box of the image, in place. */
void skp__image_cut(struct skp_image *image, const struct skp__box *box);
/* Grey becomes RGB with three equal channels, RGB becomes its luma; nothing else is known. In place. */
skp_status skp__image_set_channels(struct skp_image *image, int C);

/* ---- damaged images, decoded ones -------------------------------------------------------------------------------- */

/* What cannot be read in a set; 1 image in 100 may be so, and 5 at least, but never all. Safe from several threads.
 * `set` is its name, and must outlive it. */
enum { SKP_DAMAGE_USUAL = -1 };
skp_status skp__damage_create(struct skp_damage **out, const char *set, int64_t samples);
void skp__damage_destroy(struct skp_damage *d); /* NULL is fine */
/* Sample `sample` cannot be read because of the present error, `why`. SKP_OK: it is noted; else it is none of the image
 * (a lack of memory), and `why` comes back. */
skp_status skp__damage_note(struct skp_damage *d, int64_t sample, skp_status why);
bool skp__damage_known(struct skp_damage *d, int64_t sample);
/* SKP_OK if there is no more of it than is borne; else the error lists it. */
skp_status skp__damage_judge(struct skp_damage *d);
/* From now on so many are borne; judges at once. NULL is fine. */
skp_status skp__damage_bear(struct skp_damage *d, int64_t most);
/* How many there are so far; appends the lines about those from number `from` on to the text. NULL: 0. */
int64_t skp__damage_list(struct skp_damage *d, int64_t from, struct skp__text *text);
/* "damaged", "missing" or both: what they are from that number on. */
const char *skp__damage_word(struct skp_damage *d, int64_t from);

/* Decoded images, kept from the first time on; safe from several threads. A NULL cache keeps nothing. */
struct skp__cache;
skp_status skp__cache_create(struct skp__cache **out, int64_t n);
void skp__cache_destroy(struct skp__cache *c);
skp_status skp__cache_get(const struct skp__cache *c, int64_t i, struct skp_image *out, bool *there);
skp_status skp__cache_put(struct skp__cache *c, int64_t i, const struct skp_image *image);

/* ---- classes that come equally often (balance.c) ----------------------------------------------------------------- */

struct skp__balance;
skp_status skp__balance_create(struct skp__balance **out, const struct skp_source *s, uint64_t seed, bool shuffle);
void skp__balance_destroy(struct skp__balance *b); /* NULL is fine */
/* The images of an epoch, as many as the set has: sample + samples × (how often all of its class came before). They are
 * in the order of their classes' turns, which is to be shuffled. */
void skp__balance_epoch(struct skp__balance *b, int64_t *number, int64_t epoch);

/* ---- loader ----------------------------------------------------------------------------------------------------- */

struct skp_loader_options {
  int size;     /* side of the square images delivered; 0: as stored */
  int resize;   /* shorter side of the images from which those are cut, at least size; 0: the same */
  int channels; /* of them, 1 or 3; 0: as stored */
  int64_t batch;
  bool shuffle;   /* a fresh permutation for each epoch, from (seed, epoch) */
  int64_t images; /* of an epoch, those after them in its order being left out; 0: all */
  bool
      wrap; /* true: the last batch of an epoch is filled up with the epoch's first samples; false: it may be smaller */
  bool balanced; /* each class that has images comes equally often, see balance.c; else each image once an epoch */
  bool stand_in; /* the next sound sample takes the place of a damaged one; false: it comes black and without a label */
  uint64_t seed;
  int64_t epochs; /* after which nothing is prepared any more; 0: there is no end */
  int64_t start; /* batches that are skipped: the first to come is number `start`, as if all before it had been taken */
  float mean[4],
      std[4]; /* per channel, after division by 255: (x/255 - mean) / std; n_norm of them, the last repeats */
  int n_norm; /* 0: mean 0, std 1 */
  struct skp_augment augment; /* of each image, from (seed, epoch, its number) */
  int threads;                /* workers, at least 1 */
  int depth;                  /* batches kept ready, at least 2 */
};

struct skp_batch {
  int64_t n;            /* samples in it */
  float *x;             /* {n, H, W, C} as the options ask */
  int32_t *labels;      /* {n} */
  int32_t *other;       /* {n}, of images that were mixed in; NULL where none are */
  float *share;         /* {n} of the first label, the larger one; NULL with `other` */
  int64_t epoch, index; /* which one */
};

struct skp_loader;
/* Threads for one unless something else is said: as many as there are cores, 4 at most,
 * as they sleep while enough batches are ready. */
int skp__loader_workers(void);
/* Starts the workers. The source stays the caller's and must outlive the loader. */
skp_status skp__loader_create(struct skp_loader **out, const struct skp_source *source,
                              const struct skp_loader_options *options);
void skp__loader_destroy(struct skp_loader *l);          /* stops the workers; NULL is fine */
int64_t skp__loader_batches(const struct skp_loader *l); /* per epoch */
/* The next batch, in order, across epochs, without end unless the options set one. It stays valid until it is given
 * back, in any order. At most depth - 1 may be held. Adds the seconds spent waiting to *waited (may be NULL). A sample
 * that cannot be read fails here, at its batch, and at each call from then on. */
skp_status skp__loader_next(struct skp_loader *l, struct skp_batch **out, double *waited);
void skp__loader_give_back(struct skp_loader *l, struct skp_batch *batch);

#endif
