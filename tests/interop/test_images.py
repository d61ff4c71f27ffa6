#!/usr/bin/env python3
"""test_images.py: pictures of all kinds reach a network as torchvision's ImageFolder, Resize, CenterCrop and ToTensor make them, to the bit.
SPDX-License-Identifier: MIT

usage: test_images.py SKIPPER
SKIPPER is the program. A linear layer that keeps its input shows what it gets. Exit status 77 where there is no torchvision."""
import os, sys, tempfile
from program import skipper
try:
    import torch, safetensors.torch
    import numpy as np
    from PIL import Image
    from torchvision import datasets, transforms
except ImportError as e:
    print('skipped:', e)
    sys.exit(77)

MODEL = """return {
  input = {channels = 3, size = %d},
  recipe = {data = "set", resize = %d},
  network = function(x) return nn.linear(nn.flatten(x), %d, {name = "keep"}) end,
}"""
rng = np.random.default_rng(1)


def smooth(height, width, channels):
    small = (rng.random((height // 8 + 2, width // 8 + 2, channels)) * 255).astype('uint8')
    planes = [Image.fromarray(small[:, :, c]).resize((width, height), Image.BICUBIC) for c in range(channels)]
    return Image.merge({2: 'LA', 3: 'RGB', 4: 'RGBA'}[channels], planes)


def write_set():
    """Grey of 16 bits is missing: where Pillow cuts all above 255 off, Skipper takes the upper 8 bits."""
    n = 0
    turned = Image.Exif()
    turned[0x112] = 6
    for height, width in (50, 80), (333, 200), (16, 16), (9, 30), (375, 500):
        rgb = smooth(height, width, 3)
        for image, ending, how in [(rgb, 'jpg', {}), (rgb, 'jpg', {'subsampling': 0, 'progressive': True}), (rgb.convert('L'), 'jpg', {}),
                                   (rgb.convert('CMYK'), 'jpg', {}), (rgb, 'jpg', {'exif': turned}), (rgb, 'png', {}),
                                   (rgb.convert('L'), 'png', {}), (rgb.convert('P'), 'png', {}), (rgb.convert('1'), 'png', {}),
                                   (smooth(height, width, 4), 'png', {}), (smooth(height, width, 2), 'png', {}),
                                   (rgb.convert('CMYK'), 'jpe', {'subsampling': 2}), (rgb, 'jfif', {'subsampling': 1, 'progressive': True}),
                                   (rgb, 'webp', {'quality': 60}), (rgb, 'webp', {'lossless': True}), (smooth(height, width, 4), 'webp', {}),
                                   (rgb, 'webp', {'save_all': True, 'append_images': [smooth(height, width, 3)]}),
                                   (rgb.convert('P'), 'gif', {}), (rgb.convert('L'), 'gif', {'interlace': 1}), (smooth(height, width, 4), 'gif', {}),
                                   (rgb.convert('P'), 'gif', {'save_all': True, 'append_images': [smooth(height, width, 3)]}),
                                   (rgb, 'bmp', {}), (rgb.convert('L'), 'bmp', {}), (rgb.convert('P'), 'bmp', {}), (rgb.convert('1'), 'bmp', {}),
                                   (smooth(height, width, 4), 'bmp', {}), (rgb, 'tif', {}), (rgb, 'tiff', {'compression': 'tiff_lzw'}),
                                   (rgb, 'tif', {'compression': 'jpeg'}), (rgb.convert('L'), 'tif', {'compression': 'packbits'}),
                                   (rgb.convert('1'), 'tif', {'compression': 'group4'}), (rgb.convert('P'), 'tif', {}),
                                   (rgb.convert('CMYK'), 'tif', {'compression': 'tiff_adobe_deflate'}), (smooth(height, width, 4), 'tif', {}),
                                   (rgb, 'tif', {'tiffinfo': {274: 6}})]:
            folder = 'set/train/' + 'ab'[n % 2]
            os.makedirs(folder, exist_ok=True)
            image.save(f'{folder}/{n:03d}.{ending}', **how)
            n += 1


def check(size, resize):
    values = 3 * size * size
    with open('keep.lua', 'w') as f:
        f.write(MODEL % (size, resize, values))
    safetensors.torch.save_file({'keep.weight': torch.eye(values), 'keep.bias': torch.zeros(values)}, 'keep.safetensors')
    skipper('train', 'keep.lua', '--init', 'keep.safetensors', '--max-steps', '0', '--out', 'run')
    skipper('predict', 'run/last.safetensors', '--data', 'set', '--logits', 'seen.safetensors')
    seen = safetensors.torch.load_file('seen.safetensors')
    way = transforms.Compose([transforms.Resize(resize or size), transforms.CenterCrop(size), transforms.ToTensor()])
    want = datasets.ImageFolder('set/train', way, is_valid_file=lambda path: True)
    for i, (path, _) in enumerate(want.samples):
        image, label = want[i]
        assert seen['labels'][i] == label, path
        off = (seen['logits'][i].reshape(3, size, size) - image).abs().max()
        assert off == 0, f'{path}: off by {off * 255:.2f} of 255'
    print(f'{len(want)} pictures, {size} pixels' + (f' of {resize}' if resize else '') + ': the same')


with tempfile.TemporaryDirectory() as work:
    os.chdir(work)
    write_set()
    for size, resize in (16, 0), (16, 20), (24, 0):
        check(size, resize)
