#!/usr/bin/env python3
"""test_onnx.py: networks as ONNX files: onnxruntime answers as Skipper does. SPDX-License-Identifier: MIT

usage: test_onnx.py SKIPPER [NAME...]
SKIPPER is the program; NAMEs are rows of the table below, default all. Exit status 77 where onnx or onnxruntime is missing."""
import json, os, struct, sys
from program import in_folders, skipper
try:
    import numpy as np, onnx, onnxruntime
except ImportError as e:
    print('skipped: no Python with numpy, onnx and onnxruntime:', e)
    sys.exit(77)

here = os.path.dirname(os.path.abspath(__file__))
IMAGES, BOUND = 4, 1e-5

# Every family of models/ and, of flattened.lua, what they do not have: model, settings, side of the images.
NETWORKS = {
    'allconv': ('allconv', '', 32),
    'cifar10': ('cifar10', '', 32),
    'convnext': ('convnext', '', 64),
    'densenet': ('densenet', '', 64),
    'efficientnet': ('efficientnet', '', 64),
    'googlenet': ('googlenet', '', 64),
    'identity': ('identity', '', 28),
    'mobilenet_v2': ('mobilenet_v2', '', 64),
    'mobilenet_v3': ('mobilenet_v3', '', 64),
    'regnet': ('regnet', '', 64),
    'resize': ('resize', '', 28),
    'resnet18': ('resnet', 'depth=18', 64),
    'resnet50': ('resnet', 'depth=50', 64),
    'resnet20': ('resnet20', '', 32),
    'resnet34_cifar10': ('resnet34_cifar10', '', 32),
    'se_resnet20': ('se_resnet20', '', 32),
    'squeezenet': ('squeezenet', '', 65),
    'vgg': ('vgg', 'depth=11 hidden=64', 64),
    'vgg_windows': ('vgg', 'depth=11 hidden=64', 100),
    **{'flattened_' + kind: ('flattened', 'kind=' + kind, 8) for kind in 'chain maps rows pixels alike answers map'.split()},
    'mixed': ('mixed', '', 13),
}
# What ONNX must hold besides: the ops that no family has, sizes that do not divide, a head without weights behind a flattened map.
MIXED = '''
return {input = {channels = 3, size = 13}, network = function(x)
  local y = nn.relu(nn.conv2d(x, 6, {kernel = 3, padding = 2, dilation = 2}))
  y = nn.maxpool2d(y, {kernel = 3, stride = 3, padding = 1, ceil_mode = true})
  local a = nn.avgpool2d(y, {kernel = 3, stride = 1, padding = 1, count_include_pad = false})
  local b = nn.avgpool2d(y, {kernel = 3, stride = 1, padding = 1})
  local c = nn.upsample_nearest(nn.adaptive_avgpool2d(y, 5, {}), {scale = 2})
  y = nn.concat(nn.channel_scale(a + b, {value = 0.5}), nn.sigmoid(y))
  y = nn.concat(nn.flatten(nn.adaptive_avgpool2d(nn.layernorm(y), 2)), nn.flatten(nn.gelu(c)))
  return nn.linear(nn.layernorm(nn.dropout(nn.silu(y))), 10, {bias = false})
end}'''
# Options, and the numbers that go with them: opset and images at once.
WAYS = [([], 17, 1), (['--fold', '--dynamic-batch', '--opset', '13'], 13, IMAGES),
        (['--with-preprocessing', '--dynamic-batch', '--opset', '21'], 21, IMAGES)]


def read(path):
    """A safetensors file: header, name -> float32 array that may be written to, and the bytes."""
    data = bytearray(open(path, 'rb').read())
    n = struct.unpack('<Q', data[:8])[0]
    header = json.loads(data[8:8 + n])
    tensors = {}
    for name, t in header.items():
        if name != '__metadata__' and t['dtype'] == 'F32':
            at = 8 + n + t['data_offsets'][0]
            tensors[name] = np.frombuffer(data, np.float32, int(np.prod(t['shape'])), at).reshape(t['shape'])
    return tensors, data, header.get('__metadata__', {})


def give_statistics(path, rng):
    """Scales and running statistics as those of a trained network, which are not 0 and 1. Returns the channels that it takes."""
    tensors, data, meta = read(path)
    for name in tensors:
        norm = name.rsplit('.', 1)[0]
        if norm + '.running_mean' in tensors or tensors[name].ndim == 1:
            low, high = (0.6, 1.4) if name.endswith(('weight', 'running_var')) else (-0.2, 0.2)
            tensors[name][...] = rng.uniform(low, high, tensors[name].shape)
    open(path, 'wb').write(data)
    return json.loads(meta['recipe'])['channels']


def write_pngs(pixels):
    """Without any library: PNG files of N×S×S×C bytes, in one folder a class."""
    import zlib
    for i, image in enumerate(pixels):
        rows = b''.join(b'\0' + row.tobytes() for row in image)
        head = struct.pack('>IIBBBBB', image.shape[1], image.shape[0], 8, 2 if image.shape[2] == 3 else 0, 0, 0, 0)
        chunks = [(b'IHDR', head), (b'IDAT', zlib.compress(rows)), (b'IEND', b'')]
        os.makedirs(f'images/train/{i % 2}', exist_ok=True)
        with open(f'images/train/{i % 2}/{i // 2}.png', 'wb') as f:
            f.write(b'\x89PNG\r\n\x1a\n')
            for kind, body in chunks:
                f.write(struct.pack('>I', len(body)) + kind + body + struct.pack('>I', zlib.crc32(kind + body)))


def run(path, inputs, at_once):
    session = onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])
    parts = [session.run(['logits'], {'input': inputs[i:i + at_once]})[0] for i in range(0, len(inputs), at_once)]
    return np.concatenate(parts), session.get_modelmeta().custom_metadata_map


def check(name):
    model, settings, size = NETWORKS[name]
    source = 'mixed.lua' if name == 'mixed' else os.path.join(here if model == 'flattened' else here + '/../../models', model + '.lua')
    open('mixed.lua', 'w').write(MIXED)
    sets = [word for s in settings.split() for word in ('--set', s)]
    skipper('train', source, '--data', 'shapes', '--size', str(size), '--resize', '0', '--max-steps', '0', '--out', 'run', *sets)
    rng = np.random.default_rng(1)
    channels = give_statistics('run/last.safetensors', rng)
    pixels = rng.integers(0, 256, (IMAGES, size, size, channels), dtype=np.uint8)
    write_pngs(pixels)
    skipper('predict', 'run/last.safetensors', '--data', 'images', '--labels', 'number', '--test-views', '1', '--logits', 'logits.safetensors')
    want = read('logits.safetensors')[0]['logits'].astype(np.float64)
    pixels = np.concatenate([pixels[0::2], pixels[1::2]]).transpose(0, 3, 1, 2)
    worst = 0
    for options, opset, at_once in WAYS:
        skipper('export', 'run', '--onnx', 'net.onnx', *options)
        whole = onnx.load('net.onnx')
        onnx.checker.check_model(whole, full_check=True)
        assert whole.opset_import[0].version == opset
        kinds = [node.op_type for node in whole.graph.node]
        assert '--fold' not in options or name not in ('resnet50', 'vgg', 'identity') or 'BatchNormalization' not in kinds
        meta = {p.key: json.loads(p.value) for p in whole.metadata_props if p.key != 'input'}
        mean, std = (np.array(meta[k], np.float32).reshape(-1, 1, 1) for k in ('mean', 'std'))
        inputs = pixels if '--with-preprocessing' in options else ((pixels / np.float32(255) - mean) / std).astype(np.float32)
        got, seen = run('net.onnx', np.ascontiguousarray(inputs), at_once)
        assert json.loads(seen['class_names'])[0] == 'disc', seen
        difference = np.abs(got - want).max() / np.abs(want).max()
        assert difference <= BOUND, f'{name} {options}: answers differ by {difference:.1e} of the largest logit'
        worst = max(worst, difference)
    print(f'{name}: {len(kinds)} nodes, logits within {worst:.1e} of the largest', flush=True)


in_folders(check, sys.argv[2:] or NETWORKS)
