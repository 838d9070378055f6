"""The networks of the bench as they are written for PyTorch, with its in-place forms; names of parameters as in torchvision."""

import torch
import torch.nn.functional as F
from torch import nn


def conv(cin, cout, size=3, stride=1, groups=1):
    return nn.Conv2d(cin, cout, size, stride, size // 2, groups=groups, bias=False)


class Basic(nn.Module):
    """The basic block of ResNet on CIFAR, with shortcut A."""

    def __init__(self, cin, cout, stride):
        super().__init__()
        self.conv1, self.bn1 = conv(cin, cout, 3, stride), nn.BatchNorm2d(cout)
        self.conv2, self.bn2 = conv(cout, cout), nn.BatchNorm2d(cout)
        self.stride, self.extra = stride, cout - cin

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)), inplace=True)))
        if self.extra:
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.extra))
        return F.relu(y + x, inplace=True)


class Bottleneck(nn.Module):
    """Of ResNet and ResNeXt: 1x1, 3x3 (with the stride; in groups), 1x1."""

    def __init__(self, cin, width, cout, stride, groups=1):
        super().__init__()
        self.conv1, self.bn1 = conv(cin, width, 1), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = conv(width, width, 3, stride, groups), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = conv(width, cout, 1), nn.BatchNorm2d(cout)
        self.downsample = None
        if stride != 1 or cin != cout:
            self.downsample = nn.Sequential(conv(cin, cout, 1, stride), nn.BatchNorm2d(cout))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = self.bn3(self.conv3(F.relu(self.bn2(self.conv2(y)), inplace=True)))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)), inplace=True)


class PreActivation(nn.Module):
    """Of Wide ResNet: batch norm and ReLU before each convolution."""

    def __init__(self, cin, cout, stride):
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(cin), conv(cin, cout, 3, stride)
        self.bn2, self.conv2 = nn.BatchNorm2d(cout), conv(cout, cout)
        self.shortcut = conv(cin, cout, 1, stride) if cin != cout else None

    def forward(self, x):
        y = F.relu(self.bn1(x), inplace=True)
        shortcut = x if self.shortcut is None else self.shortcut(y)
        return self.conv2(F.relu(self.bn2(self.conv1(y)), inplace=True)) + shortcut


class Dense(nn.Module):
    """Of DenseNet-BC."""

    def __init__(self, cin, growth):
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(cin), conv(cin, 4 * growth, 1)
        self.bn2, self.conv2 = nn.BatchNorm2d(4 * growth), conv(4 * growth, growth)

    def forward(self, x):
        y = self.conv1(F.relu(self.bn1(x), inplace=True))
        return torch.cat([x, self.conv2(F.relu(self.bn2(y), inplace=True))], 1)


class Mean(nn.Module):
    def forward(self, x):
        return x.mean((2, 3))


def stem(cout):
    return [conv(3, cout), nn.BatchNorm2d(cout), nn.ReLU(inplace=True)]


def resnet20():
    widths = [16, 16, 16, 16, 32, 32, 32, 64, 64, 64]
    blocks = [Basic(a, b, 1 if a == b else 2) for a, b in zip(widths, widths[1:])]
    return nn.Sequential(*stem(16), *blocks, Mean(), nn.Linear(64, 10))


class ResNet50(nn.Module):
    def __init__(self, classes=1000):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64)
        cin = 64
        for i, (blocks, width) in enumerate([(3, 64), (4, 128), (6, 256), (3, 512)]):
            layers = []
            for j in range(blocks):
                layers.append(Bottleneck(cin, width, 4 * width, 2 if i > 0 and j == 0 else 1))
                cin = 4 * width
            setattr(self, f"layer{i + 1}", nn.Sequential(*layers))
        self.fc = nn.Linear(2048, classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x)), inplace=True), 3, 2, 1)
        return self.fc(self.layer4(self.layer3(self.layer2(self.layer1(x)))).mean((2, 3)))


def wrn_16_4():
    widths = [16, 64, 64, 128, 128, 256, 256]
    blocks = [PreActivation(a, b, 2 if i in (2, 4) else 1) for i, (a, b) in enumerate(zip(widths, widths[1:]))]
    return nn.Sequential(conv(3, 16), *blocks, nn.BatchNorm2d(256), nn.ReLU(inplace=True), Mean(), nn.Linear(256, 10))


def resnext29_32x4d():
    blocks, cin = [], 64
    for i, width in enumerate([128, 256, 512]):
        for j in range(3):
            blocks.append(Bottleneck(cin, width, 2 * width, 2 if i > 0 and j == 0 else 1, groups=32))
            cin = 2 * width
    return nn.Sequential(*stem(64), *blocks, Mean(), nn.Linear(1024, 10))


def densenet_bc_100_12():
    layers, channels = [conv(3, 24)], 24
    for block in range(3):
        for _ in range(16):
            layers.append(Dense(channels, 12))
            channels += 12
        layers += [nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]
        if block < 2:
            layers += [conv(channels, channels // 2, 1), nn.AvgPool2d(2)]
            channels //= 2
    return nn.Sequential(*layers, Mean(), nn.Linear(channels, 10))


networks = {
    "resnet20": resnet20,
    "resnet50": ResNet50,
    "wrn_16_4": wrn_16_4,
    "resnext29_32x4d": resnext29_32x4d,
    "densenet_bc_100_12": densenet_bc_100_12,
}
