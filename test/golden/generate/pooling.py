"""Pooling and the parameter-free shortcut."""

import numpy as np
import torch
import torch.nn.functional as F

from .golden_file import leaf, nchw, nhwc


def finish(g, x, y, op, extra_reads="", **attributes):
    """Writes y and the gradient for a random dy, with the forward and backward cases."""
    dy = leaf(g.normal(*y.shape))
    y.backward(dy)
    g.put(x=x, y=y, dy=dy, dx=x.grad)
    g.case(op, "x", "y" + extra_reads, **attributes)
    g.case(f"{op}Bwd", "dy" + extra_reads, "dx", **attributes)
    g.gradient(op, "x", "x:dx", **attributes)


def max_pool(file, name, x, kernel, stride, pad):
    """`pad` on all sides."""
    g = file.group(f"maxPool/{name}")
    x = leaf(x(g))
    y, index = F.max_pool2d(nchw(x), kernel, stride, pad, return_indices=True)
    width = x.shape[2]
    row = index // width - (torch.arange(y.shape[2]) * stride - pad)[:, None]
    column = index % width - (torch.arange(y.shape[3]) * stride - pad)
    g.put(argmax=nhwc((row * kernel + column).to(torch.uint8)))
    attributes = {"kernel": (kernel, kernel), "stride": (stride, stride), "pad": (pad,) * 4}
    finish(g, x, nhwc(y), "maxPool", " argmax", **attributes)


def average_pool(file, name, count_pad):
    g = file.group(f"avgPool/{name}")
    x = leaf(g.normal(2, 7, 6, 5))
    y = F.avg_pool2d(nchw(x), 3, 2, 1, count_include_pad=count_pad)
    attributes = {"kernel": (3, 3), "stride": (2, 2), "pad": (1, 1, 1, 1), "countIncludePad": int(count_pad)}
    finish(g, x, nhwc(y), "avgPool", **attributes)


def global_average_pool(file):
    g = file.group("globalAvgPool")
    x = leaf(g.normal(3, 4, 5, 6))
    finish(g, x, F.adaptive_avg_pool2d(nchw(x), 1).flatten(1), "globalAvgPool")


def shortcut_a(file, name, shape, stride, channels):
    g = file.group(f"shortcutA/{name}")
    x = leaf(g.normal(*shape))
    y = F.pad(x[:, ::stride, ::stride], (0, channels - shape[3]))
    finish(g, x, y, "shortcutA", stride=(stride, stride))


def add_to(file):
    max_pool(file, "3x3stride2", lambda g: g.normal(2, 9, 8, 4), 3, 2, 1)
    max_pool(file, "2x2", lambda g: g.normal(2, 6, 6, 3), 2, 2, 0)
    max_pool(file, "ties", lambda g: g.random.randint(-1, 2, (2, 7, 7, 4)).astype(np.float32), 3, 2, 1)
    average_pool(file, "countPad", True)
    average_pool(file, "insideOnly", False)
    global_average_pool(file)
    shortcut_a(file, "stride2", (2, 7, 6, 4), 2, 8)
    shortcut_a(file, "sameChannels", (2, 6, 6, 5), 2, 5)
