#!/usr/bin/env python3
"""make_references.py: writes references.def: the logits of every network of networks.py with weights and images that a formula gives, so
that test_references.c can compare Skipper with PyTorch where there is none. SPDX-License-Identifier: MIT

usage: make_references.py [NAME...]      only these networks anew; all of them takes long

The formula: element i of the tensor NAME, in PyTorch's order, is made of u = random_bits(FNV-1a of NAME, 0, i) >> 40, over 2^24:
weights of two dimensions and more (2u - 1) · sqrt(6 / inputs); batchnorm's weight and running_var 0.5 + u; biases and running_mean
(2u - 1) / 10. Value i of image n, in the order H, W, C, is random_bits(FNV-1a of "image", n, i) >> 40, over 2^24."""
import os, re, sys
import numpy as np
import torch
from networks import NETWORKS, network

HIDDEN = 64  # of VGG's classifiers: those of 4096 would make the test slow
IMAGES = 2
MASK = (1 << 64) - 1
GAMMA = 0x9e3779b97f4a7c15


def mix(z):
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xbf58476d1ce4e5b9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94d049bb133111eb)
    return z ^ (z >> np.uint64(31))


def uniform(name, stream, count):
    """skp__random_bits of src/base/random.c, its upper 24 bits as numbers from 0 to 1."""
    seed = 14695981039346656037
    for byte in name.encode():
        seed = (seed ^ byte) * 1099511628211 & MASK
    h = mix(np.array([(seed + GAMMA) & MASK], dtype=np.uint64))
    h = mix(h + np.uint64((stream * GAMMA + 1) & MASK))
    index = np.arange(1, count + 1, dtype=np.uint64)
    return (mix(h + index * np.uint64(GAMMA)) >> np.uint64(40)).astype(np.float64) / 2**24


def value(name, tensor):
    if name.endswith('num_batches_tracked'):
        return tensor
    u = uniform(name, 0, tensor.numel())
    if tensor.dim() > 1:
        u = (2 * u - 1) * np.sqrt(6 / (tensor.numel() // tensor.shape[0]))
    elif name.endswith('.weight') or name.endswith('.running_var'):
        u = 0.5 + u
    else:
        u = (2 * u - 1) / 10
    return torch.from_numpy(u.astype(np.float32)).reshape(tensor.shape)


def images(size):
    return torch.stack([torch.from_numpy(uniform('image', n, size * size * 3)).reshape(size, size, 3).permute(2, 0, 1) for n in range(IMAGES)])


HEAD = '''/* references.def: made by make_references.py: what PyTorch computes, in float64, for test_references.c. SPDX-License-Identifier: MIT
 *
 * X(network, model file, settings, side of the images, logits of the first image, of the second …) */
'''


def row(name):
    model, settings, size = NETWORKS[name]
    net = network(name, HIDDEN)
    net.load_state_dict({key: value(key, tensor) for key, tensor in net.state_dict().items()}, strict=True)
    with torch.no_grad():
        logits = net.double()(images(size)).flatten().tolist()
    settings = ' '.join(s for s in (settings, 'classes=10', f'hidden={HIDDEN}' if model == 'vgg' else '') if s)
    lines = ', '.join(f'{x:.8g}' + ('\n ' if i % 10 == 9 and i + 1 < len(logits) else '') for i, x in enumerate(logits)).replace('\n ,', ',\n ')
    print(name, logits[:3])
    return f'X({name}, "{model}", "{settings}", {size},\n  {lines})\n'


path = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'references.def')
rows = {}
if len(sys.argv) > 1:
    rows = {found[1]: found[0] for found in re.finditer(r'^X\((\w+),.*?\)\n', open(path).read(), re.M | re.S)}
with np.errstate(over='ignore'):
    rows.update({name: row(name) for name in sys.argv[1:] or NETWORKS})
with open(path, 'w') as out:
    out.write(HEAD + ''.join(rows[name] for name in NETWORKS if name in rows))
