"""Batch norm with batch statistics (its four parts and the running update) and with running statistics."""

import numpy as np
import torch
import torch.nn.functional as F

from .golden_file import clear_of_zero, leaf, nchw, nhwc

EPSILON = 1e-5
MOMENTUM = 0.1


def inputs(g, channels, residual):
    shape = (3, 5, 4, channels)
    operands = {"x": leaf(g.normal(*shape, scale=2, shift=0.5)), "gamma": leaf(g.normal(channels, shift=1, scale=0.3))}
    operands["beta"] = leaf(g.normal(channels, scale=0.3))
    if residual:
        operands["residual"] = leaf(g.normal(*shape))
    statistics = leaf(g.normal(channels)), leaf(np.abs(g.normal(channels)) + np.float32(0.5))
    return operands, leaf(g.normal(*shape)), statistics


def normalised(operands, mean, variance, activation, training):
    """y, and the values before the activation."""
    y = nhwc(F.batch_norm(nchw(operands["x"]), mean, variance, operands["gamma"], operands["beta"], training, MOMENTUM, EPSILON))
    if "residual" in operands:
        y = y + operands["residual"]
    return (F.relu(clear_of_zero(y)), y) if activation == "relu" else (y, y)


def gradients(operands):
    return {f"d{operand}": value.grad for operand, value in operands.items()}


def training(file, name, channels, residual, activation):
    g = file.group(f"batchNorm/{name}")
    operands, dy, (mean, variance) = inputs(g, channels, residual)
    running_mean, running_variance = mean.detach().clone(), variance.detach().clone()
    y, before = normalised(operands, running_mean, running_variance, activation, training=True)
    y.backward(dy)
    x = operands["x"].detach()
    batch_variance = x.var((0, 1, 2), unbiased=False)
    state = np.zeros(16, np.float32)
    state[[0, 1, 3, 5]] = 1
    g.put(**operands, y=y, dy=dy, **gradients(operands), state=state)
    g.put(mean=x.mean((0, 1, 2)), invstd=(batch_variance + EPSILON).rsqrt(), variance=batch_variance)
    g.put(runningMean=mean, runningVariance=variance)
    g.put(**{"runningMean.after": running_mean, "runningVariance.after": running_variance})

    with_mask = residual and activation == "relu"
    mask = " mask" if with_mask else ""
    if with_mask:
        g.put(mask=np.packbits((before > 0).numpy(), axis=-1, bitorder="little"))
    fused = {"activation": activation}
    g.case("bnStats", "x", "mean invstd variance", epsilon=EPSILON)
    g.case("bnApply", "x mean invstd gamma beta" + (" residual" if residual else ""), "y" + mask, **fused)
    g.case("bnBwdReduce", "dy x mean invstd gamma beta" + mask, "dgamma dbeta", **fused)
    outputs = "dx dresidual" if with_mask else "dx"
    g.case("bnBwdApply", "dy x mean invstd gamma beta dgamma dbeta" + mask, outputs, **fused)
    update = {"momentum": MOMENTUM, "count": x.numel() // channels}
    g.case("bnRunningUpdate", "mean variance state runningMean runningVariance", "runningMean runningVariance", **update)
    g.gradient(
        "batchNorm",
        "x gamma beta runningMean runningVariance" + (" residual" if residual else ""),
        " ".join(f"{o}:d{o}" for o in operands),
        epsilon=EPSILON,
        momentum=MOMENTUM,
        **fused,
    )


def inference(file, name, channels, residual, activation):
    g = file.group(f"batchNormInfer/{name}")
    operands, dy, (mean, variance) = inputs(g, channels, residual)
    y, before = normalised(operands, mean.detach(), variance.detach(), activation, training=False)
    y.backward(dy)
    g.put(**operands, mean=mean, variance=variance, y=y, dy=dy, **gradients(operands))
    with_mask = residual and activation == "relu"
    mask = " mask" if with_mask else ""
    if with_mask:
        g.put(mask=np.packbits((before > 0).numpy(), axis=-1, bitorder="little"))
    attributes = {"epsilon": EPSILON, "activation": activation}
    reads = "x mean variance gamma beta" + (" residual" if residual else "")
    g.case("batchNormInfer", reads, "y" + mask, **attributes)
    outputs = "dx dgamma dbeta" + (" dresidual" if with_mask else "")
    g.case("batchNormInferBwd", "dy x mean variance gamma beta" + mask, outputs, **attributes)
    g.gradient("batchNormInfer", reads, " ".join(f"{o}:d{o}" for o in operands), **attributes)


def flat(file):
    """On [N, C] instead of an image."""
    g = file.group("batchNorm/flat")
    x, gamma, beta, dy = (leaf(g.normal(*s)) for s in ((9, 6), (6,), (6,), (9, 6)))
    y = F.batch_norm(x, None, None, gamma, beta, True, MOMENTUM, EPSILON)
    y.backward(dy)
    variance = x.detach().var(0, unbiased=False)
    g.put(x=x, gamma=gamma, beta=beta, y=y, dy=dy, dx=x.grad, dgamma=gamma.grad, dbeta=beta.grad)
    g.put(mean=x.mean(0), invstd=(variance + EPSILON).rsqrt(), variance=variance)
    g.case("bnStats", "x", "mean invstd variance", epsilon=EPSILON)
    g.case("bnApply", "x mean invstd gamma beta", "y", activation="identity")
    g.case("bnBwdReduce", "dy x mean invstd gamma beta", "dgamma dbeta", activation="identity")
    g.case("bnBwdApply", "dy x mean invstd gamma beta dgamma dbeta", "dx", activation="identity")


def add_to(file):
    for make in (training, inference):
        make(file, "plain", 6, residual=False, activation="identity")
        make(file, "relu", 16, residual=False, activation="relu")
        make(file, "residual", 16, residual=True, activation="identity")
        make(file, "residualRelu", 16, residual=True, activation="relu")
    flat(file)
