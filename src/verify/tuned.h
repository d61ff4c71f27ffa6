/* tuned.h: the file that says which method is fastest for each call on a device: a line a call, for people to read, to
 * edit and to send in. SPDX-License-Identifier: MIT
 *
 *   skipper VERSION tuned
 *   on NAME, DRIVER, N units
 *   winograd 3.214 conv2d 32×9×9×256, 3×3×256×256 -> 32×9×9×256 pad=1
 *
 * which is the method, how many milliseconds it took, and the call. Lines that begin with # count as none; so do, with
 * a word to whoever listens, those that name no method of the op, are cut or are nonsense, and a file that begins as
 * one of another version or device. */
#ifndef SKP_VERIFY_TUNED_H
#define SKP_VERIFY_TUNED_H

#include "backend/note.h"
#include "base/array.h"

enum { SKP_TUNED_METHOD = 32 };

struct skp__tuned_line {
  char method[SKP_TUNED_METHOD];
  double ms;
  char *call;
};

/* Begins all zero. */
struct skp__tuned {
  char *path; /* NULL: nothing lasts of this device */
  char on[SKP_NOTE_DEVICE + 40];
  SKP_ARRAY(struct skp__tuned_line) lines;
};

/* Reads what is known of the device; `say` (may be NULL) receives a line about what is ignored. */
skp_status skp__tuned_open(struct skp__tuned *t, struct skp_backend *b, FILE *say);
/* What is known goes into the file; what cannot be written is found out again. */
void skp__tuned_save(struct skp__tuned *t);
void skp__tuned_free(struct skp__tuned *t);

/* A call as the file has it, in fresh memory. */
skp_status skp__tuned_call(char **out, const struct skp_sig *sig);
/* The method of a call; NULL: it is not known. */
const char *skp__tuned_method(const struct skp__tuned *t, const char *call);
skp_status skp__tuned_add(struct skp__tuned *t, const char *call, const char *method, double ms);

#endif
