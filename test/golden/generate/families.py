"""families.safetensors: one shallow network of each family in training, published and erased, against plain PyTorch.

Written from the papers and torchvision's layouts, not from this package. Weights are no part of the file: both sides compute
them by the same integer formula (`filled`), exactly. Of the answers the file holds the logits, the loss, and of each
parameter's gradient its norm and the elements at SAMPLES places (in our layout, wherever the formula picks them).
"""

import zlib

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from .golden_file import GoldenFile, nchw, nhwc
from .network import ARMS

SAMPLES, CLASSES = 16, 10
SMALL = 1e-3  # gradients below this share of the largest are compared with that share
CLEARANCE = 5e-6  # of every ReLU's input from zero: float32 must not land on the other side


def words(name, count):
    """Integers of 32 bits by position: the same for the same name."""
    x = (np.arange(count, dtype=np.uint64) * np.uint64(0x9E3779B1) + np.uint64(zlib.crc32(name.encode()))) & np.uint64(0xFFFFFFFF)
    x ^= x >> np.uint64(15)
    x = (x * np.uint64(0x85EBCA77)) & np.uint64(0xFFFFFFFF)
    return x ^ (x >> np.uint64(13))


def filled(name, shape):
    """Values of a parameter in our layout: filters and matrices evenly in ±sqrt(6 / fan-in), scales in 1 ± ½, shifts in ±½."""
    u = words(name, int(np.prod(shape))) / 2.0**32 * 2 - 1
    if len(shape) > 1:
        u = u * np.sqrt(6 / np.prod(shape[1:]))
    elif name.endswith("weight"):
        u = 1 + u / 2
    else:
        u = u / 2
    return u.reshape(shape).astype(np.float32)


def relu(erased=False):
    return nn.Identity() if erased else nn.ReLU()


def conv(channels, filters, kernel, stride=1, groups=1, bias=False):
    return nn.Conv2d(channels, filters, kernel, stride, kernel // 2, groups=groups, bias=bias)


class ShortcutA(nn.Module):
    def __init__(self, channels, filters, stride):
        super().__init__()
        self.stride, self.extra = stride, filters - channels

    def forward(self, x):
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.extra))


def projection(channels, filters, stride):
    return nn.Sequential(conv(channels, filters, 1, stride), nn.BatchNorm2d(filters))


class BasicBlock(nn.Module):
    def __init__(self, channels, filters, stride, downsample, erased):
        super().__init__()
        self.conv1, self.bn1, self.relu1 = conv(channels, filters, 3, stride), nn.BatchNorm2d(filters), relu()
        self.conv2, self.bn2, self.relu2 = conv(filters, filters, 3), nn.BatchNorm2d(filters), relu(erased)
        self.downsample = downsample

    def forward(self, x):
        y = self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(x)))))
        return self.relu2(y + (self.downsample(x) if self.downsample else x))


class Bottleneck(nn.Module):
    def __init__(self, channels, filters, stride, downsample, erased, width=None, groups=1):
        super().__init__()
        width = width or filters
        self.conv1, self.bn1, self.relu1 = conv(channels, width, 1), nn.BatchNorm2d(width), relu()
        self.conv2, self.bn2, self.relu2 = conv(width, width, 3, stride, groups), nn.BatchNorm2d(width), relu()
        self.conv3, self.bn3, self.relu3 = conv(width, 4 * filters, 1), nn.BatchNorm2d(4 * filters), relu(erased)
        self.downsample = downsample

    def forward(self, x):
        y = self.relu1(self.bn1(self.conv1(x)))
        y = self.bn3(self.conv3(self.relu2(self.bn2(self.conv2(y)))))
        return self.relu3(y + (self.downsample(x) if self.downsample else x))


class PreActBasicBlock(nn.Module):
    def __init__(self, channels, filters, stride, downsample, erased):
        super().__init__()
        self.bn1, self.relu1, self.conv1 = nn.BatchNorm2d(channels), relu(), conv(channels, filters, 3, stride)
        self.bn2, self.relu2, self.conv2 = nn.BatchNorm2d(filters), relu(erased), conv(filters, filters, 3)
        self.downsample = downsample

    def forward(self, x):
        a = self.relu1(self.bn1(x))
        y = self.conv2(self.relu2(self.bn2(self.conv1(a))))
        return y + (self.downsample(a) if self.downsample else x)


class PreActBottleneck(nn.Module):
    def __init__(self, channels, filters, stride, downsample, erased):
        super().__init__()
        self.bn1, self.relu1, self.conv1 = nn.BatchNorm2d(channels), relu(), conv(channels, filters, 1, stride)
        self.bn2, self.relu2, self.conv2 = nn.BatchNorm2d(filters), relu(), conv(filters, filters, 3)
        self.bn3, self.relu3, self.conv3 = nn.BatchNorm2d(filters), relu(erased), conv(filters, 4 * filters, 1)
        self.downsample = downsample

    def forward(self, x):
        a = self.relu1(self.bn1(x))
        y = self.conv3(self.relu3(self.bn3(self.conv2(self.relu2(self.bn2(self.conv1(a)))))))
        return y + (self.downsample(a) if self.downsample else x)


class Staged(nn.Module):
    """Stages of blocks: `block(channels, filters, stride)` makes one. `blocks`: how many in each stage."""

    def __init__(self, stem, stem_channels, block, blocks, filters, expansion, preact=None):
        super().__init__()
        for name, module in stem.items():
            setattr(self, name, module)
        self.stem, channels = list(stem), stem_channels
        for i, count in enumerate(blocks):
            stage = []
            for j in range(count):
                stage.append(block(channels, filters * 2**i, 2 if i > 0 and j == 0 else 1))
                channels = filters * 2**i * expansion
            setattr(self, f"layer{i + 1}", nn.Sequential(*stage))
        self.stages = len(blocks)
        self.preact = preact
        if preact:
            setattr(self, preact[0], nn.BatchNorm2d(channels))
            setattr(self, preact[1], relu())
        self.fc = nn.Linear(channels, CLASSES)

    def forward(self, x):
        for name in [*self.stem, *(f"layer{i + 1}" for i in range(self.stages)), *(self.preact or [])]:
            x = getattr(self, name)(x)
        return self.fc(x.mean((2, 3)))


def large_stem(width, names=("bn1", "relu")):
    return {"conv1": nn.Conv2d(3, width, 7, 2, 3, bias=False), names[0]: nn.BatchNorm2d(width), names[1]: relu(), "pool": nn.MaxPool2d(3, 2, 1)}


def small_stem(width):
    return {"conv1": conv(3, width, 3), "bn1": nn.BatchNorm2d(width), "relu": relu()}


def resnet11_bottleneck(erased):
    def block(c, f, s):
        return Bottleneck(c, f, s, projection(c, 4 * f, s) if s > 1 or c != 4 * f else None, erased)

    return Staged(small_stem(4), 4, block, [1, 1, 1], 4, 4)


def resnet18(erased):
    def block(c, f, s):
        return BasicBlock(c, f, s, projection(c, f, s) if s > 1 or c != f else None, erased)

    return Staged(large_stem(8), 8, block, [2, 2, 2, 2], 8, 1)


def preact_resnet14(erased):
    def block(c, f, s):
        return PreActBasicBlock(c, f, s, ShortcutA(c, f, s) if s > 1 or c != f else None, erased)

    return Staged({"conv1": conv(3, 8, 3)}, 8, block, [2, 2, 2], 8, 1, ("bn", "relu"))


def preact_resnet11_bottleneck(erased):
    def block(c, f, s):
        return PreActBottleneck(c, f, s, conv(c, 4 * f, 1, s) if s > 1 or c != 4 * f else None, erased)

    return Staged({"conv1": conv(3, 4, 3)}, 4, block, [1, 1, 1], 4, 4, ("bn", "relu"))


def preact_resnet18(erased):
    def block(c, f, s):
        return PreActBasicBlock(c, f, s, conv(c, f, 1, s) if s > 1 or c != f else None, erased)

    return Staged(large_stem(8, ("bn1", "relu1")), 8, block, [2, 2, 2, 2], 8, 1, ("bn2", "relu2"))


def wrn_10_2(erased):
    def block(c, f, s):
        return PreActBasicBlock(c, f, s, conv(c, f, 1, s) if s > 1 or c != f else None, erased)

    return Staged({"conv1": conv(3, 16, 3)}, 16, block, [1, 1, 1], 32, 1, ("bn", "relu"))


def resnext11_2x2d(erased):
    def block(c, f, s):
        inner = {"groups": 2, "width": f // 64 * 2 * 2}
        return Bottleneck(c, f, s, projection(c, 4 * f, s) if s > 1 or c != 4 * f else None, erased, **inner)

    return Staged(small_stem(64), 64, block, [1, 1, 1], 64, 4)


class DenseLayer(nn.Module):
    def __init__(self, channels, growth, bottleneck, erased):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(channels)
        self.bottleneck = bottleneck
        if bottleneck:
            self.relu1, self.conv1 = relu(), conv(channels, 4 * growth, 1)
            self.norm2, self.relu2, self.conv2 = nn.BatchNorm2d(4 * growth), relu(erased), conv(4 * growth, growth, 3)
        else:
            self.relu1, self.conv1 = relu(erased), conv(channels, growth, 3)

    def forward(self, x):
        y = self.conv1(self.relu1(self.norm1(x)))
        return torch.cat([x, self.conv2(self.relu2(self.norm2(y))) if self.bottleneck else y], 1)


class DenseNet(nn.Module):
    def __init__(self, stem, channels, growth, layers, bottleneck, erase_layer):
        super().__init__()
        self.features = nn.Sequential()
        for name, module in stem.items():
            self.features.add_module(name, module)
        total, index = sum(layers), 0
        for i, count in enumerate(layers):
            block = nn.Sequential()
            for j in range(count):
                block.add_module(f"denselayer{j + 1}", DenseLayer(channels, growth, bottleneck, erase_layer(index, total)))
                channels, index = channels + growth, index + 1
            self.features.add_module(f"denseblock{i + 1}", block)
            if i < len(layers) - 1:
                reduced = channels // 2 if bottleneck else channels
                transition = nn.Sequential()
                for name, module in {"norm": nn.BatchNorm2d(channels), "relu": relu(), "conv": conv(channels, reduced, 1), "pool": nn.AvgPool2d(2)}.items():
                    transition.add_module(name, module)
                self.features.add_module(f"transition{i + 1}", transition)
                channels = reduced
        self.features.add_module("norm5", nn.BatchNorm2d(channels))
        self.features.add_module("relu5", relu())
        self.classifier = nn.Linear(channels, CLASSES)

    def forward(self, x):
        return self.classifier(self.features(x).mean((2, 3)))


def densenet_bc_16_4(erased):
    return DenseNet({"conv0": conv(3, 8, 3)}, 8, 4, [2, 2, 2], True, lambda i, n: erased)


def densenet_10_4(erased):
    """Half of the layers, evenly: k = floor(n / 2 + 1/2), layer i where floor((i + 1) k / n) > floor(i k / n)."""

    def erase_layer(i, n):
        k = int(n / 2 + 0.5)
        return erased and (i + 1) * k // n > i * k // n

    return DenseNet({"conv0": conv(3, 16, 3)}, 16, 4, [2, 2, 2], False, erase_layer)


class ConvBNReLU(nn.Module):
    def __init__(self, channels, filters, kernel, stride=1, erased=False):
        super().__init__()
        self.conv, self.bn, self.relu = conv(channels, filters, kernel, stride), nn.BatchNorm2d(filters), relu(erased)

    def forward(self, x):
        return self.relu(self.bn(self.conv(x)))


class Inception(nn.Module):
    """one: channels of the 1x1 branch; 0: none, and stride 2."""

    def __init__(self, channels, one, three, double, pool, pooling, erased):
        super().__init__()
        stride = 1 if one else 2
        if one:
            self.branch1 = ConvBNReLU(channels, one, 1, erased=erased)
        self.branch2 = nn.Sequential(ConvBNReLU(channels, three[0], 1), ConvBNReLU(three[0], three[1], 3, stride, erased))
        self.branch3 = nn.Sequential(
            ConvBNReLU(channels, double[0], 1), ConvBNReLU(double[0], double[1], 3), ConvBNReLU(double[1], double[1], 3, stride, erased)
        )
        if not one:
            self.branch4 = nn.Sequential(nn.MaxPool2d(3, 2, ceil_mode=True))
        else:
            window = nn.MaxPool2d(3, 1, 1) if pooling == "max" else nn.AvgPool2d(3, 1, 1)
            self.branch4 = nn.Sequential(window, ConvBNReLU(channels, pool, 1, erased=erased))

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.children()], 1)


def inception_modules(erased):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = ConvBNReLU(3, 8, 3)
            self.a = Inception(8, 4, (4, 6), (4, 6), 4, "average", erased)
            self.b = Inception(20, 0, (4, 6), (4, 6), 0, "max", erased)
            self.c = Inception(32, 4, (4, 6), (4, 6), 4, "max", erased)
            self.fc = nn.Linear(20, CLASSES)

        def forward(self, x):
            return self.fc(self.c(self.b(self.a(self.stem(x)))).mean((2, 3)))

    return Net()


def vgg(layout, width, classifier, erased):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            layers, channels = [], 3
            for i, count in enumerate(layout):
                filters = width * min(2**i, 8)
                for j in range(count):
                    last = count > 1 and j == count - 1
                    layers += [conv(channels, filters, 3), nn.BatchNorm2d(filters), relu(erased and last)]
                    channels = filters
                layers.append(nn.MaxPool2d(2))
            self.features, self.classifier = nn.Sequential(*layers), classifier

        def forward(self, x):
            return self.classifier(self.features(x).flatten(1))

    return Net()


def vgg11_bn(erased):
    # Of width 4 and for maps of 1x1; the dropouts are left out, with their numbers.
    classifier = nn.Sequential(nn.Linear(32, 256), relu(), nn.Identity(), nn.Linear(256, 256), relu(), nn.Identity(), nn.Linear(256, CLASSES))
    return vgg([1, 1, 2, 2, 2], 4, classifier, erased)


def vgg16_bn_cifar(erased):
    return vgg([2, 2, 3, 3, 3], 4, nn.Linear(32, CLASSES), erased)


# Name, network, images: [batch, height, width].
NETWORKS = [
    ("resnet11_bottleneck", resnet11_bottleneck, [4, 16, 16]),
    ("resnet18", resnet18, [8, 32, 32]),
    ("preact_resnet14", preact_resnet14, [4, 16, 16]),
    ("preact_resnet11_bottleneck", preact_resnet11_bottleneck, [4, 16, 16]),
    ("preact_resnet18", preact_resnet18, [8, 32, 32]),
    ("wrn_10_2", wrn_10_2, [4, 8, 8]),
    ("resnext11_2x2d", resnext11_2x2d, [4, 8, 8]),
    ("densenet_bc_16_4", densenet_bc_16_4, [4, 16, 16]),
    ("densenet_10_4", densenet_10_4, [4, 16, 16]),
    ("inception_modules", inception_modules, [4, 8, 8]),
    ("vgg11_bn", vgg11_bn, [8, 32, 32]),
    ("vgg16_bn_cifar", vgg16_bn_cifar, [8, 32, 32]),
]


def ours(tensor):
    """KCRS to KRSC; anything else stays."""
    return nhwc(tensor) if tensor.dim() == 4 else tensor


def fill(net):
    with torch.no_grad():
        for name, p in net.named_parameters():
            values = torch.tensor(filled(name, tuple(ours(p).shape)))
            p.copy_(nchw(values) if p.dim() == 4 else values)


def run(make, erased, dtype, x, labels):
    """Answers by name, in float64, and the distance from zero of the ReLU input nearest to it."""
    net = make(erased).to(dtype)
    fill(net)
    nearest = []
    for module in net.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_hook(lambda _, inputs, __: nearest.append(inputs[0].detach().abs().min().item()))
    logits = net(nchw(torch.tensor(x, dtype=dtype)))
    loss = F.cross_entropy(logits, torch.tensor(labels, dtype=torch.int64))
    loss.backward()
    answers = {"logits": logits, "loss": loss.reshape(1)}
    for name, p in net.named_parameters():
        gradient = ours(p.grad).reshape(-1)
        places = torch.tensor((words(f"{name} samples", SAMPLES) % np.uint64(gradient.numel())).astype(np.int64))
        answers[f"gradient/{name}"] = torch.cat([gradient.norm().reshape(1), gradient[places]])
    return {k: v.detach().double() for k, v in answers.items()}, min(nearest)


def images_for(name, make, shape):
    """The first images of a few seeds that keep every ReLU's input clear of zero, in both arms."""
    for seed in range(200):
        random = np.random.RandomState(seed + zlib.crc32(name.encode()) % 1000)
        x = random.standard_normal([*shape, 3]).astype(np.float32)
        labels = random.randint(0, CLASSES, shape[0]).astype(np.int32)
        if all(run(make, erased, torch.float64, x, labels)[1] > CLEARANCE for erased in ARMS.values()):
            return x, labels
    raise AssertionError(f"{name}: no images keep clear of zero")


def write(path):
    file, spreads, networks = GoldenFile(), {}, []
    for name, make, shape in NETWORKS:
        x, labels = images_for(name, make, shape)
        file.put(f"{name}/x", x)
        file.put(f"{name}/labels", labels)
        networks.append(name)
        for arm, erased in ARMS.items():
            exact, _ = run(make, erased, torch.float64, x, labels)
            rounded, _ = run(make, erased, torch.float32, x, labels)
            # Some gradients are zero but for rounding: a shift in front of a batch norm has no effect.
            largest = max(v.abs().max().item() for k, v in exact.items() if k.startswith("gradient/"))
            floor = SMALL * largest
            spread = {"floor": floor}
            for key, value in exact.items():
                file.put(f"{name}/{arm}/{key}", value)
                kind = key.split("/")[0]
                scale = max(value.abs().max().item(), floor if kind == "gradient" else 0)
                error = (rounded[key] - value).abs().max().item() / scale
                spread[kind] = max(spread.get(kind, 0), error)
            spreads[f"{name}/{arm}"] = spread
        print(name, {arm: spreads[f"{name}/{arm}"] for arm in ARMS})
    file.write(path, networks=networks, samples=SAMPLES, float32Spread=spreads)
