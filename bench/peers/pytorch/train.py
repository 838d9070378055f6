"""Training steps with PyTorch: the same network, optimizer and batch shape as ../eraserelu/train.ts. With --nchw in PyTorch's
usual layout, otherwise in channels_last; in bf16 by autocast."""

import sys

import torch
import torch.nn.functional as F

from job import autocast, compiled, images, job, measure
from networks import networks

torch.manual_seed(0)
layout = torch.contiguous_format if "--nchw" in sys.argv[2:] else torch.channels_last
model = networks[job["model"]]().to(memory_format=layout)
forward = torch.compile(model) if compiled else model
x = images().contiguous(memory_format=layout)
labels = torch.arange(job["batch"]) % 10
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, nesterov=True, weight_decay=1e-4)


def step():
    optimizer.zero_grad(set_to_none=True)
    with autocast():
        loss = F.cross_entropy(forward(x), labels)
    loss.backward()
    optimizer.step()
    loss.item()


form = ("torch.compile" if compiled else "eager") + (", NCHW" if layout is torch.contiguous_format else "")
measure(step, form, parameters=sum(p.numel() for p in model.parameters()))
