"""networks.py: the networks of models/ and of flattened.lua in PyTorch, for the scripts beside it. SPDX-License-Identifier: MIT

torchvision's where it has them; the residual networks for CIFAR and the all-convolutional one are written out here, with the same names."""
import re
from collections import OrderedDict
import torch
import torchvision
from torch import nn

CLASSES = 10


# ---- torchvision's ---------------------------------------------------------------------------------------------------

def from_torchvision(name, hidden):
    """The network of that name; a VGG with a classifier of that width."""
    extra = dict(aux_logits=False, init_weights=True) if name == 'googlenet' else {}
    net = getattr(torchvision.models, name)(weights=None, num_classes=CLASSES, **extra)
    if name.startswith('vgg') and hidden != 4096:
        net.classifier[0] = nn.Linear(512 * 7 * 7, hidden)
        net.classifier[3] = nn.Linear(hidden, hidden)
        net.classifier[6] = nn.Linear(hidden, CLASSES)
    return net


# ---- those for CIFAR -------------------------------------------------------------------------------------------------

class Block(nn.Module):
    def __init__(self, inputs, channels, stride, shortcut, excited):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut = shortcut
        if excited:
            self.se = torchvision.ops.SqueezeExcitation(channels, channels // 16)
            nn.init.zeros_(self.se.fc1.bias)
            nn.init.zeros_(self.se.fc2.bias)
        if shortcut and (stride != 1 or inputs != channels):
            self.downsample = nn.Sequential(nn.Conv2d(inputs, channels, 1, stride, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x):
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        if hasattr(self, 'se'):
            y = self.se(y)
        if self.shortcut:
            y = y + (self.downsample(x) if hasattr(self, 'downsample') else x)
        return torch.relu(y)


class CifarResNet(nn.Module):
    def __init__(self, depth, shortcuts=True, width=16, excited=False):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        inputs = width
        for i in range(3):
            blocks = []
            for j in range((depth - 2) // 6):
                blocks.append(Block(inputs, width << i, 2 if i and not j else 1, shortcuts, excited))
                inputs = width << i
            setattr(self, f'layer{i + 1}', nn.Sequential(*blocks))
        self.fc = nn.Linear(inputs, CLASSES)

    def forward(self, x):
        x = torch.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(x.mean((2, 3)))


def allconv():
    layers, inputs = [], 3
    for channels in 16, 32, 64:
        for stride in 1, 2:
            layers += [nn.Conv2d(inputs, channels, 3, stride, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU()]
            inputs = channels
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(OrderedDict([(str(i), layer) for i, layer in enumerate(layers)] + [('fc', nn.Linear(inputs, CLASSES))]))


# ---- those of flattened.lua ------------------------------------------------------------------------------------------

class Flattened(nn.Module):
    """What flattened.lua calls `kind`."""
    MAPS = {  # convolutions: channels, kernel, stride, padding
        'chain': {'a': (4, 3)},
        'maps': {'a': (4, 3), 'b': (9, 5)},
        'rows': {'a': (4, 3)},
        'pixels': {},
        'alike': {'a': (16, 3, 1, 1), 'b': (16, 4, 4), 'c': (1, 1), 'd': (64, 8)},
        'answers': {'a': (5, 7), 'b': (5, 7)},
        'map': {'a': (4, 6)},
    }
    ROWS = {  # linear layers: inputs, outputs
        'chain': {'b': (144, 144), 'c': (144, 144), 'd': (144, 10)},
        'maps': {'c': (144, 10)},
        'rows': {'b': (192, 144), 'c': (144, 144), 'd': (144, 10)},
        'pixels': {'a': (192, 192), 'b': (192, 192), 'c': (192, 10)},
        'alike': {'e': (64, 64), 'f': (64, 10)},
        'answers': {'c': (20, 20)},
        'map': {},
    }

    def __init__(self, kind):
        super().__init__()
        self.run = getattr(self, kind)
        for name, numbers in self.MAPS[kind].items():
            self.add_module(name, nn.Conv2d(3, *numbers))
        for name, numbers in self.ROWS[kind].items():
            self.add_module(name, nn.Linear(*numbers))

    def forward(self, x):
        return self.run(x)

    def chain(self, x):
        return self.d(torch.relu(self.c(torch.relu(self.b(self.a(x).flatten(1))))))

    def maps(self, x):
        return self.c(self.a(x).flatten(1) + self.b(x).flatten(1))

    def rows(self, x):
        map = torch.relu(self.a(x).flatten(1))
        return self.d(torch.relu(map + self.c(self.b(x.flatten(1)) + map)))

    def pixels(self, x):
        x = x.flatten(1)
        x = torch.relu(x + self.a(x))
        return self.c(torch.relu(x + self.b(x)))

    def alike(self, x):
        y = nn.functional.max_pool2d(self.a(x), 4).flatten(1) + self.b(x).flatten(1)
        return self.f(y + self.c(x).flatten(1) + self.d(x).flatten(1) + self.e(y))

    def answers(self, x):
        y = self.a(x).flatten(1)
        return torch.relu(y + self.b(x).flatten(1)) + self.c(y)

    def map(self, x):
        return self.a(x).flatten(1)


# ---- all of them -----------------------------------------------------------------------------------------------------

# name: model file, its settings, side of the images that show every weight at work
NETWORKS = {
    'resnet18': ('resnet', 'depth=18', 40),
    'resnet34': ('resnet', 'depth=34', 40),
    'resnet50': ('resnet', 'depth=50', 40),
    'resnet101': ('resnet', 'depth=101', 40),
    'resnet152': ('resnet', 'depth=152', 40),
    'wide_resnet50_2': ('resnet', 'depth=50 width_per_group=128', 40),
    'wide_resnet101_2': ('resnet', 'depth=101 width_per_group=128', 40),
    'resnext50_32x4d': ('resnet', 'depth=50 groups=32 width_per_group=4', 40),
    'vgg11': ('vgg', 'depth=11', 32),
    'vgg13': ('vgg', 'depth=13', 32),
    'vgg16': ('vgg', 'depth=16', 32),
    'vgg19': ('vgg', 'depth=19', 32),
    'vgg11_bn': ('vgg', 'depth=11 bn=yes', 32),
    'vgg13_bn': ('vgg', 'depth=13 bn=yes', 32),
    'vgg16_bn': ('vgg', 'depth=16 bn=yes', 32),
    'vgg19_bn': ('vgg', 'depth=19 bn=yes', 32),
    'mobilenet_v2': ('mobilenet_v2', '', 40),
    'squeezenet1_1': ('squeezenet', 'version=1.1', 45),
    'squeezenet1_0': ('squeezenet', 'version=1.0', 48),
    'densenet121': ('densenet', 'depth=121', 40),
    'mobilenet_v3_small': ('mobilenet_v3', '', 40),
    'mobilenet_v3_large': ('mobilenet_v3', 'kind=large', 40),
    'efficientnet_b0': ('efficientnet', '', 40),
    'efficientnet_b2': ('efficientnet', 'kind=b2', 40),
    'googlenet': ('googlenet', '', 46),
    'regnet_y_400mf': ('regnet', '', 40),
    'regnet_x_800mf': ('regnet', 'kind=x_800mf', 40),
    'convnext_tiny': ('convnext', '', 36),
    'cifar_resnet20': ('resnet20', 'depth=20', 16),
    'cifar_resnet32': ('resnet20', 'depth=32', 16),
    'cifar_resnet44': ('resnet20', 'depth=44', 16),
    'cifar_resnet56': ('resnet20', 'depth=56', 16),
    'cifar_resnet110': ('resnet20', 'depth=110', 16),
    'cifar_se_resnet20': ('se_resnet20', '', 16),
    'cifar_plain20': ('resnet20', 'depth=20 shortcuts=no', 16),
    'allconv': ('allconv', '', 16),
    **{f'flattened_{kind}': ('../tests/interop/flattened', f'kind={kind}', 8) for kind in Flattened.MAPS},
}


def network(name, hidden=4096):
    """The PyTorch network of that name, in evaluation mode."""
    if name == 'allconv':
        net = allconv()
    elif name.startswith('cifar_'):
        net = CifarResNet(int(re.search(r'\d+', name)[0]), shortcuts='plain' not in name, excited='se_' in name)
    elif name.startswith('flattened_'):
        return Flattened(name.removeprefix('flattened_')).eval()
    else:
        return from_torchvision(name, hidden).eval()
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode='fan_out', nonlinearity='relu')
    return net.eval()
