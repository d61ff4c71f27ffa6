#!/usr/bin/env python3
"""test_torchvision.py: weights go from torchvision to Skipper and back, and both networks give the same answers. SPDX-License-Identifier: MIT

test_torchvision.py SKIPPER [NAME...]: skipper's path, and networks of the list below (default: all). Exit status 77 where there is no torchvision."""
import json, os, subprocess, sys, tempfile
try:
    import torch, torchvision, safetensors.torch
    import numpy as np
    from PIL import Image
except ImportError as e:
    print('skipped:', e)
    sys.exit(77)

CLASSES = 10
RESNET = ['resnet.lua', 64]  # model file and size of the images
NETWORKS = {
    'resnet18': (RESNET, ['depth=18']),
    'resnet34': (RESNET, ['depth=34']),
    'resnet50': (RESNET, ['depth=50']),
    'wide_resnet50_2': (RESNET, ['depth=50', 'width_per_group=128']),
    'resnext50_32x4d': (RESNET, ['depth=50', 'groups=32', 'width_per_group=4']),
    'vgg11': (['vgg.lua', 224], ['depth=11']),
    'vgg11_bn': (['vgg.lua', 224], ['depth=11', 'bn=yes']),
}
sys.argv[1:2] = [os.path.abspath(path) for path in sys.argv[1:2]]
models = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'models')


def network(name):
    """A network in evaluation mode whose running statistics are not those of a fresh one."""
    torch.manual_seed(1)
    net = getattr(torchvision.models, name)(weights=None, num_classes=CLASSES)
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.1, 0.1)
            module.running_var.uniform_(0.5, 2)
            module.num_batches_tracked.fill_(7)
    return net.eval()


def skipper(*words):
    done = subprocess.run([sys.argv[1], *words], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"skipper {' '.join(words)}: exit status {done.returncode}\n{done.stderr}")
    return done.stdout, done.stderr


def there_and_back(net, file, settings, size):
    """Skipper takes all weights in and gives the same ones back under the same names."""
    safetensors.torch.save_file(net.state_dict(), 'theirs.safetensors')
    _, said = skipper('train', os.path.join(models, file), '--size', str(size), '--init', 'theirs.safetensors', '--max-steps', '0',
                      '--out', 'run', *[word for s in [*settings, f'classes={CLASSES}'] for word in ('--set', s)])
    assert ', 0 left as they were' in said and 'not in the model' not in said, said
    ours = safetensors.torch.load_file('run/last.safetensors')
    for name, value in net.state_dict().items():
        assert ours[name].shape == value.shape, name
        assert name.endswith('num_batches_tracked') or torch.equal(ours[name], value), name
    net.load_state_dict(ours, strict=True)


def answers_agree(net, size):
    """Log-probabilities of an image within 1e-4 of the largest logit; returns the difference as a share of it."""
    pixels = np.random.default_rng(1).integers(0, 256, (size, size, 3), dtype=np.uint8)
    Image.fromarray(pixels).save('image.png')
    said, _ = skipper('predict', 'run/last.safetensors', 'image.png', '--top', str(CLASSES), '--json')
    with torch.no_grad():
        logits = net(torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255)[0].double()
    want, worst = logits.log_softmax(0), 0
    answer = json.loads(said)[0]
    for row in answer['top']:
        worst = max(worst, abs(np.log(row['probability']) - want[row['index']].item()))
    share = worst / logits.abs().max().item()
    assert share <= 1e-4, f'answers differ by {share:.1e} of the largest logit'
    return share


folder = tempfile.TemporaryDirectory(prefix='skipper-interop-')
os.chdir(folder.name)
for name in sys.argv[2:] or NETWORKS:
    (file, size), settings = NETWORKS[name]
    net = network(name)
    there_and_back(net, file, settings, size)
    print(f'{name}: {len(net.state_dict())} tensors there and back, answers within {answers_agree(net, size):.1e} of the largest logit')
