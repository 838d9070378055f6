"""softmaxCrossEntropy: label smoothing, ignored labels, two label sets; gradient of the logits; top-1 and top-5 counts."""

import numpy as np
import torch
import torch.nn.functional as F

from .golden_file import leaf


def loss_of(logits, labels, smoothing):
    labels = torch.tensor(labels, dtype=torch.int64)
    return F.cross_entropy(logits, labels, ignore_index=-1, label_smoothing=smoothing, reduction="none")


def example(file, name, smoothing=0.0, ignored=(), mixed=False, classes=10, scale=2.0):
    g = file.group(f"softmaxCrossEntropy/{name}")
    n = 8
    logits = leaf(g.normal(n, classes, scale=scale))
    labels = g.random.randint(0, classes, n)
    labels[list(ignored)] = -1
    operands = {"logits": logits, "labels": labels}
    count = int((labels >= 0).sum())
    losses = loss_of(logits, labels, smoothing)
    if mixed:
        operands["labels2"] = g.random.randint(0, classes, n)
        operands["lambda"] = g.random.uniform(0, 1, n).astype(np.float32)
        share = torch.tensor(operands["lambda"], dtype=torch.float64)
        losses = share * losses + (1 - share) * loss_of(logits, operands["labels2"], smoothing)
    loss = losses.sum() / count
    loss.backward()
    if not mixed:  # PyTorch's own mean over the labels that count
        mean = F.cross_entropy(logits, torch.tensor(labels), ignore_index=-1, label_smoothing=smoothing)
        assert torch.allclose(mean, loss, rtol=1e-12)
    top = logits.topk(5, 1).indices == torch.tensor(labels)[:, None]
    one = lambda value: np.array([value], np.float32)
    g.put(**operands, loss=loss.reshape(1), dlogits=logits.grad)
    g.put(correct1=one(top[:, :1].sum()), correct5=one(top.sum()), count=one(count))
    g.case("softmaxCrossEntropy", " ".join(operands), "loss dlogits correct1 correct5 count", labelSmoothing=smoothing)


def add_to(file):
    example(file, "plain")
    example(file, "smoothing", smoothing=0.1)
    example(file, "ignored", ignored=(1, 6))
    example(file, "ignoredSmoothing", smoothing=0.1, ignored=(0, 7))
    example(file, "mixed", mixed=True)
    example(file, "mixedSmoothing", smoothing=0.1, mixed=True)
    example(file, "largeLogits", scale=100.0)
    example(file, "manyClasses", classes=101)
