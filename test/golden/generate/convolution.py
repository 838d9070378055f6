"""conv2d with its variants, and linear, which is a 1x1 convolution here."""

import torch.nn.functional as F

from .golden_file import clear_of_zero, leaf, nchw, nhwc

VARIANTS = {
    # name: (x, w, stride, pad, dilation, groups)
    "3x3": ((2, 7, 9, 5), (6, 3, 3, 5), (1, 1), (1, 1, 1, 1), (1, 1), 1),
    "stride2": ((2, 9, 8, 4), (8, 3, 3, 4), (2, 2), (0, 1, 1, 0), (1, 1), 1),
    "dilation2": ((2, 9, 9, 4), (4, 3, 3, 4), (1, 1), (2, 2, 2, 2), (2, 2), 1),
    "groups": ((2, 6, 6, 12), (8, 3, 3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 4),
    "depthwise": ((2, 6, 6, 8), (8, 3, 3, 1), (2, 2), (1, 1, 1, 1), (1, 1), 8),
    "1x1": ((2, 5, 5, 16), (8, 1, 1, 16), (1, 1), (0, 0, 0, 0), (1, 1), 1),
    "1x1stride2": ((2, 7, 7, 8), (16, 1, 1, 8), (2, 2), (0, 0, 0, 0), (1, 1), 1),
    "7x7stem": ((1, 17, 17, 3), (16, 7, 7, 3), (2, 2), (3, 3, 3, 3), (1, 1), 1),
    "oblong": ((1, 7, 11, 3), (5, 1, 3, 3), (1, 2), (0, 0, 1, 1), (1, 1), 1),
    "channels36": ((1, 5, 5, 36), (12, 3, 3, 36), (1, 1), (1, 1, 1, 1), (1, 1), 1),
}


def convolve(x, w, bias, stride, pad, dilation, groups):
    top, bottom, left, right = pad
    padded = F.pad(nchw(x), (left, right, top, bottom))
    return nhwc(F.conv2d(padded, nchw(w), bias, stride, 0, dilation, groups))


def plain(file, name, geometry):
    g = file.group(f"conv2d/{name}")
    x_shape, w_shape, stride, pad, dilation, groups = geometry
    attributes = {"stride": stride, "pad": pad, "dilation": dilation, "groups": groups}
    x, w = leaf(g.normal(*x_shape)), leaf(g.normal(*w_shape, scale=0.2))
    y = convolve(x, w, None, stride, pad, dilation, groups)
    dy = leaf(g.normal(*y.shape))
    y.backward(dy)
    g.put(x=x, w=w, y=y, dy=dy, dx=x.grad, dw=w.grad)
    g.case("conv2d", "x w", "y", **attributes, activation="identity")
    g.case("conv2dBwdData", "dy w", "dx", **attributes)
    g.case("conv2dBwdFilter", "dy x", "dw", **attributes)
    g.gradient("conv2d", "x w", "x:dx w:dw", **attributes, activation="identity")


def fused(file, name, residual, activation):
    """With bias, and with a residual and a ReLU where asked."""
    g = file.group(f"conv2d/{name}")
    attributes = {"stride": (1, 1), "pad": (1, 1, 1, 1), "dilation": (1, 1), "groups": 1}
    operands = {"x": leaf(g.normal(2, 6, 6, 8)), "w": leaf(g.normal(8, 3, 3, 8, scale=0.2)), "bias": leaf(g.normal(8))}
    y = convolve(*operands.values(), *attributes.values())
    if residual:
        operands["residual"] = leaf(g.normal(*y.shape))
        y = y + operands["residual"]
    if activation == "relu":
        y = F.relu(clear_of_zero(y))
    dy = leaf(g.normal(*y.shape))
    y.backward(dy)
    gradients = {f"d{operand}": value.grad for operand, value in operands.items()}
    g.put(**operands, y=y, dy=dy, **gradients)
    g.case("conv2d", " ".join(operands), "y", **attributes, activation=activation)
    g.gradient("conv2d", " ".join(operands), " ".join(f"{o}:d{o}" for o in operands), **attributes, activation=activation)


def bias_backward(file):
    g = file.group("biasBwd")
    dy = leaf(g.normal(3, 5, 4, 6))
    g.put(dy=dy, db=dy.sum((0, 1, 2)))
    g.case("biasBwd", "dy", "db")


def backward_with_addend(file):
    g = file.group("conv2dBwdData/addend")
    attributes = {"stride": (1, 1), "pad": (1, 1, 1, 1), "dilation": (1, 1), "groups": 1}
    x, w, addend = leaf(g.normal(2, 6, 5, 8)), leaf(g.normal(4, 3, 3, 8, scale=0.2)), leaf(g.normal(2, 6, 5, 8))
    y = convolve(x, w, None, *attributes.values())
    dy = leaf(g.normal(*y.shape))
    y.backward(dy)
    g.put(dy=dy, w=w, addend=addend, dx=x.grad + addend)
    g.case("conv2dBwdData", "dy w addend", "dx", **attributes)


def linear(file):
    g = file.group("linear")
    attributes = {"stride": (1, 1), "pad": (0, 0, 0, 0), "dilation": (1, 1), "groups": 1}
    x, w, bias = leaf(g.normal(5, 1, 1, 12)), leaf(g.normal(10, 1, 1, 12, scale=0.3)), leaf(g.normal(10))
    y = F.linear(x.reshape(5, 12), w.reshape(10, 12), bias).reshape(5, 1, 1, 10)
    dy = leaf(g.normal(*y.shape))
    y.backward(dy)
    g.put(x=x, w=w, bias=bias, y=y, dy=dy, dx=x.grad, dw=w.grad, dbias=bias.grad)
    g.case("conv2d", "x w bias", "y", **attributes, activation="identity")
    g.case("conv2dBwdData", "dy w", "dx", **attributes)
    g.case("conv2dBwdFilter", "dy x", "dw", **attributes)
    g.gradient("conv2d", "x w bias", "x:dx w:dw bias:dbias", **attributes, activation="identity")


def add_to(file):
    for name, geometry in VARIANTS.items():
        plain(file, name, geometry)
    fused(file, "bias", residual=False, activation="identity")
    fused(file, "biasRelu", residual=False, activation="relu")
    fused(file, "residual", residual=True, activation="identity")
    fused(file, "residualRelu", residual=True, activation="relu")
    backward_with_addend(file)
    bias_backward(file)
    linear(file)
