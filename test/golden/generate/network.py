"""The CIFAR residual block and ResNet-20 as plain PyTorch (NCHW inside), with and without the last ReLU of each block."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from .golden_file import nchw, nhwc

ARMS = {"baseline": False, "erased": True}


class BasicBlock(nn.Module):
    """Shortcut A: every stride-th pixel, and zero channels appended at the end."""

    def __init__(self, channels, filters, stride, erased):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, filters, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(filters)
        self.relu1 = nn.ReLU()
        self.relu2 = nn.Identity() if erased else nn.ReLU()
        self.stride, self.extra = stride, filters - channels

    def forward(self, x):
        y = self.relu1(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        shortcut = x[:, :, :: self.stride, :: self.stride]
        return self.relu2(y + F.pad(shortcut, (0, 0, 0, 0, 0, self.extra)))


class ResNet20(nn.Module):
    def __init__(self, erased):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.relu = nn.ReLU()
        self.layer1 = self.stage(16, 16, 1, erased)
        self.layer2 = self.stage(16, 32, 2, erased)
        self.layer3 = self.stage(32, 64, 2, erased)
        self.fc = nn.Linear(64, 10)

    @staticmethod
    def stage(channels, filters, stride, erased):
        first = BasicBlock(channels, filters, stride, erased)
        return nn.Sequential(first, *(BasicBlock(filters, filters, 1, erased) for _ in range(2)))

    def forward(self, x):
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(x.mean((2, 3)))


def ours(tensor):
    """KCRS to KRSC; anything else stays."""
    return nhwc(tensor) if tensor.dim() == 4 else tensor


def state(module):
    """Parameters and running statistics by name, in our layout."""
    return {k: ours(v).detach().clone() for k, v in module.state_dict().items() if "num_batches" not in k}


def gradients(module):
    return {k: ours(p.grad) for k, p in module.named_parameters()}


def load(module, values):
    """Values in our layout into the module, which takes their type."""
    tensors = {k: torch.tensor(np.asarray(v)) for k, v in values.items()}
    module.to(next(iter(tensors.values())).dtype)
    module.load_state_dict({k: nchw(v) if v.dim() == 4 else v for k, v in tensors.items()}, strict=False)
    return module


def initial_values(module, random):
    """He's normal (fan-out) for convolutions, PyTorch's uniform for the linear layer, 1 and 0 for norms; float32."""
    values = {}
    for name, tensor in state(module).items():
        if tensor.dim() == 4:
            filters, height, width, _ = tensor.shape
            tensor = random.standard_normal(tensor.shape) * np.sqrt(2 / (filters * height * width))
        elif name.startswith("fc."):
            bound = 1 / np.sqrt(module.fc.in_features)
            tensor = random.uniform(-bound, bound, tensor.shape)
        values[name] = np.asarray(tensor, np.float32)
    return values
