#!/usr/bin/env python3
"""make_onnx.py: small networks as PyTorch's exporters write them, and what PyTorch answers. SPDX-License-Identifier: MIT

usage: make_onnx.py      writes fuzz/corpus/onnx/NAME and onnx.def, which unit/test_onnx.c reads; needs torch and onnxscript."""
import os, warnings
import torch, torch.nn.functional as F
from torch import nn

warnings.filterwarnings('ignore')
here = os.path.dirname(os.path.abspath(__file__))
corpus = os.path.join(here, '..', 'fuzz', 'corpus', 'onnx')
SIZE = 9


class Norm(nn.Module):  # over channels, as ConvNeXt has it
    def __init__(self, channels):
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.inner = nn.Linear(channels, 6)
        self.outer = nn.Linear(6, channels)
        self.scale = nn.Parameter(torch.full((channels, 1, 1), 0.5))

    def forward(self, x):
        y = self.outer(F.gelu(self.inner(self.norm(x.permute(0, 2, 3, 1)))))
        return x + self.scale * y.permute(0, 3, 1, 2)


class Excite(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.fc1, self.fc2 = nn.Conv2d(channels, 2, 1), nn.Conv2d(2, channels, 1)

    def forward(self, x):
        return x * torch.sigmoid(self.fc2(F.silu(self.fc1(F.adaptive_avg_pool2d(x, 1)))))


class Net(nn.Module):
    def __init__(self, kind, way):
        super().__init__()
        self.kind = kind
        self.conv1, self.bn1 = nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4)
        self.conv2, self.bn2 = nn.Conv2d(4, 4, 3, stride=2, padding=1, groups=2), nn.BatchNorm2d(4)
        self.excite, self.norm = Excite(4), nn.Identity() if way == 'old' else Norm(8)  # older files have layernorm in parts
        self.drop, self.fc = nn.Dropout(0.3), nn.Linear(8 * 9 if kind == 'flat' else 8, 5)

    def forward(self, x):
        x = F.relu6(self.bn1(self.conv1(x)))
        y = F.hardswish(self.bn2(self.conv2(x)))
        z = F.max_pool2d(x, 2, 2, ceil_mode=True)
        x = torch.cat([self.excite(y), F.avg_pool2d(z, 3, 1, 1, count_include_pad=False)], 1)
        x = F.relu(self.norm(x))
        if self.kind == 'flat':
            x = F.hardsigmoid(F.max_pool2d(x, 2, 2, 1))
            x = x.view(x.size(0), -1)
        else:
            x = x.mean((2, 3))
        x = self.fc(self.drop(x))
        return F.softmax(x, 1) if self.kind == 'softmax' else x


def values(shape, name):
    """Numbers by a formula that C has too: from -1 to 1."""
    n = 1
    for d in shape:
        n *= d
    return ((torch.arange(n, dtype=torch.float64) * 0.61803398875 + len(name) * 0.1) % 1 * 2 - 1).reshape(shape).float()


def make(kind, way):
    torch.manual_seed(3)
    net = Net(kind, way)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.5, 2)
            module.weight.data.uniform_(0.5, 1.5)
            module.momentum = 0 if way == 'training' else 0.1  # or writing the file would change them
    return net.eval()


rows = []
images = values((2, 3, SIZE, SIZE), '')
for kind, way in [('mean', 'script'), ('flat', 'script'), ('softmax', 'dynamo'), ('mean', 'dynamo'), ('mean', 'training'), ('flat', 'old')]:
    net, name = make(kind, way), f'{kind}_{way}'
    path = os.path.join(corpus, name)
    if way == 'dynamo':
        torch.onnx.export(net, (images,), path + '.onnx', dynamo=True, external_data=False, verbose=False, dynamic_shapes=({0: torch.export.Dim('N')},))
    else:
        extra = dict(training=torch.onnx.TrainingMode.TRAINING, do_constant_folding=False) if way == 'training' else {}
        torch.onnx.export(net, (images,), path + '.onnx', dynamo=False, opset_version=11 if way == 'old' else 17, input_names=['input'],
                          dynamic_axes={'input': {0: 'N'}}, **extra)
    import onnx
    model = onnx.load(path + '.onnx')
    for node in model.graph.node:
        node.doc_string = ''
        del node.metadata_props[:]
    del model.graph.value_info[:], model.graph.metadata_props[:]
    onnx.save(model, path)
    os.remove(path + '.onnx')
    net.kind = 'mean' if kind == 'softmax' else kind
    with torch.no_grad():
        logits = net.eval()(images).flatten().tolist()
    rows.append(f'X({name}, {", ".join(f"{x:.8g}" for x in logits)})')
with open(os.path.join(here, 'onnx.def'), 'w') as f:
    f.write('/* onnx.def: made by make_onnx.py: X(file of fuzz/corpus/onnx, logits of two images). SPDX-License-Identifier: MIT */\n')
    f.write('\n'.join(rows) + '\n')
