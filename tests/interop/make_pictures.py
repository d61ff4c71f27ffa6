#!/usr/bin/env python3
"""make_pictures.py: writes tests/unit/pictures.def, what Pillow makes of the pictures in tests/fuzz/corpus/image. SPDX-License-Identifier: MIT

usage: make_pictures.py      with Pillow"""
import logging, os, warnings, zlib
import numpy as np
import PIL
from PIL import Image

HEAD = """/* pictures.def: what Pillow %s makes of the files in tests/fuzz/corpus/image: PICTURE(name, width, height, CRC-32 of the RGB pixels, of
 * the grey ones), and REFUSED(name). Of grey with 12 and 16 bits it is the upper 8, and a PNG cut within the checksum of its pixels is
 * refused. Written by tests/interop/make_pictures.py. SPDX-License-Identifier: MIT */
"""


def rgb_of(path):
    image = Image.open(path)
    image.load()
    if image.mode.startswith('I;16'):
        deep = np.array(image) >> (4 if '12' in path else 8)
        image = Image.fromarray(deep.astype('uint8'))
    return image.convert('RGB')


def line(folder, name):
    if name == 'truncated.png':
        return f'REFUSED("{name}")\n'
    try:
        rgb = rgb_of(os.path.join(folder, name))
    except Exception:  # it has many kinds
        return f'REFUSED("{name}")\n'
    sums = [zlib.crc32(image.tobytes()) for image in (rgb, rgb.convert('L'))]
    return f'PICTURE("{name}", {rgb.width}, {rgb.height}, 0x{sums[0]:08x}, 0x{sums[1]:08x})\n'


warnings.simplefilter('ignore')
logging.disable()
tests = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
folder = os.path.join(tests, 'fuzz/corpus/image')
with open(os.path.join(tests, 'unit/pictures.def'), 'w') as out:
    out.write(HEAD % PIL.__version__)
    out.writelines(line(folder, name) for name in sorted(os.listdir(folder)))
