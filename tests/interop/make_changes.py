#!/usr/bin/env python3
"""Prints tests/unit/changes.def: hashes of what torchvision makes of a picture by each change of TrivialAugmentWide and RandAugment.

usage: tests/interop/make_changes.py > tests/unit/changes.def      (wants torchvision and Pillow)      SPDX-License-Identifier: MIT
"""
import numpy as np
from PIL import Image
from torchvision.transforms import InterpolationMode, autoaugment

WIDTH, HEIGHT, LEVELS = 37, 29, 31
CHANGES = 'ShearX ShearY TranslateX TranslateY Rotate Brightness Color Contrast Sharpness Posterize Solarize AutoContrast Equalize'


def picture(channels):
    """The picture of test_change.c."""
    y, x, c = np.mgrid[:HEIGHT, :WIDTH, :channels]
    values = 30 + (7 * x + 13 * y + 50 * c + (31 * x * y + 17 * c) % 23 * 5) % 180
    return Image.fromarray(values.astype(np.uint8).squeeze())


def fnv1a(state, values):
    for value in values:
        state = (state ^ value) * 0x100000001b3 % 2**64
    return state


def all_of(image, space, name):
    """A hash of the images of all levels, up and down."""
    magnitudes, signed = space[name]
    state = 0xcbf29ce484222325
    for level in range(LEVELS):
        amount = float(magnitudes[level]) if magnitudes.ndim else 0.0
        for sign in (1, -1) if signed else (1,):
            changed = autoaugment._apply_op(image, name, sign * amount, InterpolationMode.NEAREST, None)
            state = fnv1a(state, changed.tobytes())
    return state


print('/* changes.def: written by tests/interop/make_changes.py. X(policy, number of the change, channels, whether it has a sign, hash) */')
for policy, space in (('TRIVIAL_AUGMENT', autoaugment.TrivialAugmentWide()._augmentation_space(LEVELS)),
                      ('RAND_AUGMENT', autoaugment.RandAugment()._augmentation_space(LEVELS, (HEIGHT, WIDTH)))):
    for channels in (1, 3):
        for which, name in enumerate(CHANGES.split()):
            print(f'X({policy}, {which}, {channels}, {int(space[name][1])}, 0x{all_of(picture(channels), space, name):016x}) /* {name} */')
