/* augment_list.h: what may happen to the training images by chance. One list makes the fields of struct skp_augment,
 * and of recipes with their options; what each does is a row of the table in augment.c. SPDX-License-Identifier: MIT */
#ifndef SKP_DATA_AUGMENT_LIST_H
#define SKP_DATA_AUGMENT_LIST_H

/* X(kind, field, default, least, most, help), as in SKP_RECIPE_LIST (model/recipe.h). */
#define SKP_AUGMENT_LIST(X)                                                                                            \
  X(REAL, random_resized_crop, "0", 0, 1, "scale a random part of at least this share of the image to the input")      \
  X(BOOL, crop, "false", 0, 1, "cut the input out of the image at random, not from the middle")                        \
  X(INT, crop_padding, "0", 0, 1 << 10, "pixels by which a random crop may reach beyond the image")                    \
  X(BOOL, crop_reflect, "false", 0, 1, "the image is mirrored there, not black")                                       \
  X(BOOL, flip, "false", 0, 1, "mirror half of the images, left to right")                                             \
  X(INT, cutout, "0", 0, 1 << 14, "side of a square that is cut out of each image at random")                          \
  X(REAL, brightness, "0", 0, 10, "random factor, from 1 minus this to 1 plus this")                                   \
  X(REAL, contrast, "0", 0, 10, "the same for contrast")                                                               \
  X(REAL, saturation, "0", 0, 10, "the same for saturation")                                                           \
  X(REAL, hue, "0", 0, 0.5, "random turn of the colours, up to this part of the circle either way")                    \
  X(BOOL, trivial_augment, "false", 0, 1, "TrivialAugment: one random change of each image, of random strength")       \
  X(INT, rand_augment, "0", 0, 30, "RandAugment: the strength of its random changes, 9 is usual; 0: none")             \
  X(INT, rand_augment_ops, "2", 1, 8, "how many of them an image undergoes")                                           \
  X(REAL, erasing, "0", 0, 1, "how often a random rectangle is erased")                                                \
  X(REAL, mixup, "0", 0, 100, "mix pairs of images, shares from a Beta distribution with this alpha")                  \
  X(REAL, cutmix, "0", 0, 100, "paste a box of another image into each, its area from such a distribution")            \
  X(REAL, blur, "0", 0, 16, "blur each image by a Gaussian, of a random sigma from 0.1 to this many pixels")           \
  X(REAL, rotate, "0", 0, 180, "turn each image by a random angle, up to so many degrees either way")

#endif
