"""block.safetensors: a CIFAR residual block in training, with and without its last ReLU; output and all gradients."""

import numpy as np
import torch

from .golden_file import GoldenFile, nchw, nhwc
from .network import ARMS, BasicBlock, gradients, initial_values, load, state

BLOCKS = {"same": (16, 16, 1), "down": (16, 32, 2)}  # channels, filters, stride


def add_block(file, name, channels, filters, stride):
    g = file.group(name)
    values = initial_values(BasicBlock(channels, filters, stride, False), g.random)
    for norm in ("bn1", "bn2"):
        values[f"{norm}.weight"] = g.normal(filters, scale=0.3, shift=1)
        values[f"{norm}.bias"] = g.normal(filters, scale=0.3)
    x, dy = g.normal(4, 8, 8, channels), g.normal(4, 8 // stride, 8 // stride, filters)
    g.put(x=x, dy=dy, **{f"initial/{k}": v for k, v in values.items()})
    for arm, erased in ARMS.items():
        block = load(BasicBlock(channels, filters, stride, erased), values).double()
        input_ = torch.tensor(x, dtype=torch.float64, requires_grad=True)
        y = nhwc(block(nchw(input_)))
        y.backward(torch.tensor(dy, dtype=torch.float64))
        assert (y.min() < 0) == erased
        out = file.group(f"{name}/{arm}")
        out.put(y=y, dx=input_.grad, **{f"gradient/{k}": v for k, v in gradients(block).items()})
        out.put(**{f"after/{k}": v for k, v in state(block).items() if "running" in k})


def write(path):
    file = GoldenFile()
    for name, shape in BLOCKS.items():
        add_block(file, name, *shape)
    blocks = {k: dict(zip(("channels", "filters", "stride"), v)) for k, v in BLOCKS.items()}
    file.write(path, blocks=blocks, epsilon=1e-5, momentum=0.1)
