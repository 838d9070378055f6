"""relu, add, concat, slice, scaleSamples, cast, the pointwise functions and reductions."""

import numpy as np
import torch

from .golden_file import clear_of_zero, leaf

POINTWISE_ONE = {
    # name: (fn, alpha, beta, in PyTorch, positive input)
    "exp": ("exp", 0, 0, torch.exp, False),
    "log": ("log", 0, 0, torch.log, True),
    "sqrt": ("sqrt", 0, 0, torch.sqrt, True),
    "sigmoid": ("sigmoid", 0, 0, torch.sigmoid, False),
    "tanh": ("tanh", 0, 0, torch.tanh, False),
    "abs": ("abs", 0, 0, torch.abs, False),
    "neg": ("neg", 0, 0, torch.neg, False),
    "square": ("square", 0, 0, torch.square, False),
    "clamp": ("clamp", -0.5, 0.75, lambda a: a.clamp(-0.5, 0.75), False),
    "affine": ("affine", -1.5, 0.25, lambda a: -1.5 * a + 0.25, False),
    "pow": ("pow", 1.5, 0, lambda a: a.pow(1.5), True),
    "powMinus2": ("pow", -2, 0, lambda a: a.pow(-2), True),
}
POINTWISE_TWO = {
    "add": torch.add,
    "sub": torch.sub,
    "mul": torch.mul,
    "div": torch.div,
    "max": torch.maximum,
    "min": torch.minimum,
}
BROADCAST = {
    "same": ((2, 3, 4, 5), (2, 3, 4, 5)),
    "channel": ((2, 3, 4, 5), (1, 1, 1, 5)),
    "both": ((2, 1, 4, 1), (1, 3, 1, 5)),
}


def finish(g, op, operands, y, **attributes):
    """Writes operands, y and the gradients for a random dy, with the forward case."""
    dy = leaf(g.normal(*y.shape))
    y.backward(dy)
    g.put(**operands, y=y, dy=dy, **{f"d{name}": value.grad for name, value in operands.items()})
    g.case(op, " ".join(operands), "y", **attributes)
    g.gradient(op, " ".join(operands), " ".join(f"{o}:d{o}" for o in operands), **attributes)


def pointwise(file):
    for name, (fn, alpha, beta, function, positive) in POINTWISE_ONE.items():
        g = file.group(f"pointwise/{name}")
        a = g.normal(2, 3, 4, 5)
        a = leaf(np.abs(a) + np.float32(0.1) if positive else a)
        finish(g, "pointwise", {"a": a}, function(a), fn=fn, alpha=alpha, beta=beta)
    for fn, function in POINTWISE_TWO.items():
        for kind, (a_shape, b_shape) in BROADCAST.items():
            g = file.group(f"pointwise/{fn}/{kind}")
            a, b = leaf(g.normal(*a_shape)), g.normal(*b_shape)
            b = leaf(np.sign(b) * (np.abs(b) + np.float32(0.3)) if fn == "div" else b)
            finish(g, "pointwise", {"a": a, "b": b}, function(a, b), fn=fn, alpha=0, beta=0)
    for fn, function in {"eq": torch.eq, "gt": torch.gt}.items():
        g = file.group(f"pointwise/{fn}")
        a, b = (torch.tensor(g.random.randint(-1, 2, (2, 3, 4, 5)).astype(np.float32)) for _ in range(2))
        g.put(a=a, b=b, y=function(a, b).to(torch.float32))
        g.case("pointwise", "a b", "y", fn=fn, alpha=0, beta=0)


def reductions(file):
    functions = {"sum": torch.sum, "mean": torch.mean, "max": torch.amax}
    for fn, function in functions.items():
        for axes in ((1, 2), (3,), (0, 1, 2, 3)):
            g = file.group(f"reduce/{fn}/{''.join(map(str, axes))}")
            x = leaf(g.normal(2, 3, 4, 5))
            finish(g, "reduce", {"x": x}, function(x, axes, keepdim=True), fn=fn, axes=axes)


def relu(file):
    g = file.group("relu")
    x = leaf(g.normal(2, 4, 3, 5))
    finish(g, "relu", {"x": x}, torch.relu(clear_of_zero(x)))
    g.case("reluBwd", "dy y", "dx")


def add(file):
    g = file.group("add")
    a, b = leaf(g.normal(2, 4, 3, 5)), leaf(g.normal(2, 4, 3, 5))
    finish(g, "add", {"a": a, "b": b}, a + b)


def concat(file):
    for axis in (3, 1):
        g = file.group(f"concat/axis{axis}")
        shapes = [[2, 3, 4, 5] for _ in range(3)]
        for shape, size in zip(shapes, (5, 2, 7)):
            shape[axis] = size
        parts = {f"x.{i}": leaf(g.normal(*shape)) for i, shape in enumerate(shapes)}
        finish(g, "concat", parts, torch.cat(list(parts.values()), axis), axis=axis)


def slice_(file):
    g = file.group("slice")
    x = leaf(g.normal(3, 5, 6, 8))
    finish(g, "slice", {"x": x}, x[1:3, 0:4, 2:6, 3:8], begin=(1, 0, 2, 3))
    g.case("sliceBwd", "dy", "dx", begin=(1, 0, 2, 3))


def scale_samples(file):
    g = file.group("scaleSamples")
    x, scale = leaf(g.normal(3, 2, 4, 5)), leaf(g.normal(3))
    y = x * scale[:, None, None, None]
    dy = leaf(g.normal(*y.shape))
    y.backward(dy)
    g.put(x=x, scale=scale, y=y, dy=dy, dx=x.grad)
    g.case("scaleSamples", "x scale", "y")


def cast(file):
    for dtype, values in {"u8": (-3, 0.5, 1.5, 2.5, 254.5, 255.5, 300), "i32": (-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 1e6)}.items():
        g = file.group(f"cast/{dtype}")
        x = torch.tensor(values, dtype=torch.float32)
        y = x.round().clamp(0, 255).to(torch.uint8) if dtype == "u8" else x.round().to(torch.int32)
        g.put(x=x, y=y)
        g.case("cast", "x", "y")


def add_to(file):
    for make in (relu, add, concat, slice_, scale_samples, cast, pointwise, reductions):
        make(file)
