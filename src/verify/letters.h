/* letters.h: inside verify: which extents of a call belong together, so that smaller calls of its kind and parts of it
 * can be made. SPDX-License-Identifier: MIT */
#ifndef SKP_VERIFY_LETTERS_H
#define SKP_VERIFY_LETTERS_H

#include "ops/op.h"

/* The extents of an op's values by letters: a word a value, the inputs in order, '>', the outputs. The same letter is
 * the same extent. '.' is nobody's business; c is in proportion to C, and i to I; '*', in front, are the blocks of a
 * map's statistics. Of a value of lower rank than its
 * word the last extent has the last letter, and the first the first. The last word of the inputs serves all further
 * values of a variadic one. */
struct skp__letters {
  const char *op, *values;
  const char *attrs; /* attributes that are extents: "h=H w=W" */
  const char *free;  /* letters by which results fall apart: part of an extent gives the same part of them */
};

/* Those of an op; all ops have some. */
const struct skp__letters *skp__letters_of(const struct skp_op *op);

enum { SKP_LETTERS = 26 };
/* By letter. 0: the call has no such extent. */
struct skp__extents {
  int64_t of[SKP_LETTERS];
};

/* The word of value i of a call, inputs first. */
struct skp__word {
  const char *at;
  int length;
};
struct skp__word skp__letters_word(const struct skp__letters *letters, const struct skp_sig *sig, int i);
/* The letter of extent d of a value with such a word, as an upper case one; '.': none. *share: it is in proportion. */
char skp__letters_at(const struct skp__word *word, const struct skp_shape *s, int d, bool *share);
/* Pixels of the map that has statistics: an output P × Q, else the input H × W. */
int64_t skp__letters_pixels(const struct skp__extents *e);
struct skp__extents skp__letters_read(const struct skp__letters *letters, const struct skp_sig *sig);
/* Puts other extents in place of those that the call had, and infers its outputs, of which those stay absent that are.
 * An extent of 1 beside larger ones of its letter is spread over them, and stays. */
skp_status skp__letters_write(struct skp_sig *sig, const struct skp__letters *letters, const struct skp__extents *was,
                              const struct skp__extents *now);

#endif
