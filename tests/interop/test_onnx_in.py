#!/usr/bin/env python3
"""test_onnx_in.py: torchvision's networks as PyTorch's exporters write them: Skipper answers as onnxruntime does. SPDX-License-Identifier: MIT

usage: test_onnx_in.py SKIPPER [NAME...]
SKIPPER is the program; NAMEs are networks of torchvision, default one of each family that is promised. Exit status 77 where a package is missing."""
import os, sys, warnings
from program import in_folders, skipper
try:
    import numpy as np, onnxruntime, onnxscript, torch, torchvision
    from safetensors.numpy import load_file
    from PIL import Image
except ImportError as e:
    print('skipped: no Python with torch, torchvision, onnxscript, onnxruntime, safetensors and Pillow:', e)
    sys.exit(77)

NAMES = ['resnet18', 'resnet50', 'vgg11_bn', 'mobilenet_v2', 'mobilenet_v3_small', 'densenet121', 'efficientnet_b0']
IMAGES, BOUND = 2, 1e-5
WAYS = {'script': dict(dynamo=False), 'dynamo': dict(dynamo=True, verbose=False),
        'training': dict(dynamo=False, training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False)}


def network(name):
    """With running statistics of its own; small where VGG is large."""
    torch.manual_seed(1)
    net = getattr(torchvision.models, name)(weights=None, num_classes=10)
    if name.startswith('vgg'):
        net.classifier = torch.nn.Sequential(torch.nn.Linear(512 * 49, 64), torch.nn.ReLU(), torch.nn.Dropout(), torch.nn.Linear(64, 10))
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.1, 0.1)
            module.running_var.uniform_(0.5, 2)
    return net.eval()


def check(name):
    size = 224 if name.startswith('vgg') else 96
    pixels = np.random.default_rng(1).integers(0, 256, (IMAGES, size, size, 3), dtype=np.uint8)
    for i in range(IMAGES):
        os.makedirs(f'images/train/{i}', exist_ok=True)
        Image.fromarray(pixels[i]).save(f'images/train/{i}/{i}.png')
    images = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2) / np.float32(255), np.float32)
    for way, how in WAYS.items():
        net = network(name)
        with torch.no_grad():
            want = net(torch.from_numpy(images)).double().numpy()
        warnings.filterwarnings('ignore')
        torch.onnx.export(net, (torch.from_numpy(images),), 'net.onnx', **how)
        if way != 'training':
            session = onnxruntime.InferenceSession('net.onnx')
            theirs = session.run(None, {session.get_inputs()[0].name: images})[0]
            assert np.abs(theirs - want).max() <= BOUND * np.abs(want).max()
        skipper('predict', 'net.onnx', '--data', 'images', '--labels', 'number', '--mean', '0', '--logits', 'logits.safetensors')
        difference = np.abs(load_file('logits.safetensors')['logits'] - want).max() / np.abs(want).max()
        assert difference <= BOUND, f'{name} {way}: answers differ by {difference:.1e} of the largest logit'
        print(f'{name} {way}: logits within {difference:.1e} of the largest', flush=True)


in_folders(check, sys.argv[2:] or NAMES)
