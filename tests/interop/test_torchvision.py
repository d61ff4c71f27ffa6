#!/usr/bin/env python3
"""test_torchvision.py: weights begin alike in PyTorch and in Skipper, go there and back, and give the same answers. SPDX-License-Identifier: MIT

usage: test_torchvision.py SKIPPER [--images DIR] [NAME...]
SKIPPER is the program; NAMEs are networks of networks.py, default all, which takes long. The answers are about up to 8 images found anywhere
below DIR, scaled to the size that networks.py gives, but VGGs' to 64 pixels; without DIR about noise. Exit status 77 where there is no torchvision."""
import argparse, os, sys
from program import in_folders, skipper
try:
    import torch, safetensors.torch
    import numpy as np
    from PIL import Image
    from networks import CLASSES, NETWORKS, network
except ImportError as e:
    print('skipped:', e)
    sys.exit(77)

IMAGES = 8
models = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'models')


def with_statistics(net):
    """Gives the network running statistics that are not those of a fresh one."""
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.1, 0.1)
            module.running_var.uniform_(0.5, 2)
            module.num_batches_tracked.fill_(7)


def train_nothing(out, model, settings, size, *words):
    """Weights as `skipper train --max-steps 0` writes them into the folder `out`, and what it said."""
    said = skipper('train', os.path.join(models, model + '.lua'), '--size', str(size), '--max-steps', '0', '--mean', '0', '--std', '1', '--out', out, *words,
                   *[word for s in [*settings.split(), f'classes={CLASSES}'] for word in ('--set', s)]).stderr
    return safetensors.torch.load_file(f'{out}/last.safetensors'), said


def first_values_agree(net, model, settings, size):
    """Fresh networks of both kinds: the same constants, else the same deviation and the same fraction of it in the largest values."""
    ours, _ = train_nothing('fresh', model, settings, size)
    for name, value in net.state_dict().items():
        theirs, our = value.double(), ours[name].double()
        if name.endswith('num_batches_tracked') or theirs.numel() == 1:
            continue
        if theirs.std() == 0:
            assert torch.equal(theirs, our), name
            continue
        room = 8 / theirs.numel()**0.5
        assert abs(our.std() / theirs.std() - 1) < room, f'{name}: deviation {our.std():.4g}, not {theirs.std():.4g}'
        moments = [(x**4).mean() / (x**2).mean()**2 for x in (our, theirs)]  # 3: normal, 1.8: uniform
        assert abs(moments[0] - moments[1]) < 10 * room, f'{name}: another distribution'


def there_and_back(net, model, settings, size):
    """Skipper takes all weights in and gives the same ones back under the same names."""
    safetensors.torch.save_file(net.state_dict(), 'theirs.safetensors')
    ours, said = train_nothing('run', model, settings, size, '--init', 'theirs.safetensors')
    assert ', 0 left at' in said and 'not in the model' not in said, said
    for name, value in net.state_dict().items():
        assert ours[name].shape == value.shape, name
        assert name.endswith('num_batches_tracked') or torch.equal(ours[name], value), name
    net.load_state_dict(ours, strict=True)


def find_images(folder, size):
    """Writes images/train/CLASS/N.png, each of `size` pixels, and returns them as PyTorch wants them: N, 3, size, size from 0 to 1."""
    if folder:
        paths = sorted(os.path.join(at, name) for at, _, names in os.walk(folder) for name in names if name.endswith(('.jpg', '.png')))
        pictures = [Image.open(path).convert('RGB').resize((size, size), Image.BICUBIC) for path in paths[::max(1, len(paths) // IMAGES)][:IMAGES]]
    else:
        noise = np.random.default_rng(1).integers(0, 256, (IMAGES, size, size, 3), dtype=np.uint8)
        pictures = [Image.fromarray(pixels) for pixels in noise]
    for i, picture in enumerate(pictures):
        os.makedirs(f'images/train/{i % 2}', exist_ok=True)
        picture.save(f'images/train/{i % 2}/{i}.png')
    in_order = pictures[0::2] + pictures[1::2]
    return torch.stack([torch.from_numpy(np.array(picture)).permute(2, 0, 1) / 255 for picture in in_order])


def answers_agree(net, images):
    """Logits within 1e-4 of the largest; returns the difference as a fraction of it."""
    skipper('predict', 'run/last.safetensors', '--data', 'images', '--logits', 'logits.safetensors')
    got = safetensors.torch.load_file('logits.safetensors')['logits'].double()
    with torch.no_grad():
        want = net(images).double()
    difference = ((got - want).abs().max() / want.abs().max()).item()
    assert difference <= 1e-4, f'answers differ by {difference:.1e} of the largest logit'
    return difference


def check(name):
    model, settings, size = NETWORKS[name]
    size = 64 if model == 'vgg' else size
    torch.manual_seed(1)
    net = network(name)
    first_values_agree(net, model, settings, size)
    with_statistics(net)
    there_and_back(net, model, settings, size)
    difference = answers_agree(net, find_images(source, size))
    print(f'{name}: {len(net.state_dict())} tensors there and back, logits within {difference:.1e} of the largest', flush=True)


parser = argparse.ArgumentParser()
parser.add_argument('program')
parser.add_argument('--images')
parser.add_argument('names', nargs='*')
said = parser.parse_intermixed_args()
source = said.images and os.path.abspath(said.images)
in_folders(check, said.names or NETWORKS)
