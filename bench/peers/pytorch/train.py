"""Training steps of ResNet-20 with PyTorch: the same network, optimizer and batch shape as ../eraserelu/train.ts."""

import torch
import torch.nn.functional as F
from torch import nn

from job import compiled, images, job, measure


class Block(nn.Module):
    def __init__(self, cin, cout, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(cout)
        self.stride, self.extra = stride, cout - cin

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)), inplace=True)))
        shortcut = x
        if self.extra:
            shortcut = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.extra))
        return F.relu(y + shortcut, inplace=True)


class ResNet20(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True))
        widths = [16, 16, 16, 16, 32, 32, 32, 64, 64, 64]
        blocks = [Block(a, b, 1 if a == b else 2) for a, b in zip(widths, widths[1:])]
        self.blocks = nn.Sequential(*blocks)
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        return self.fc(self.blocks(self.stem(x)).mean((2, 3)))


torch.manual_seed(0)
model = ResNet20().to(memory_format=torch.channels_last)
forward = torch.compile(model) if compiled else model
x = images()
labels = torch.arange(job["batch"]) % 10
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-4)


def step():
    optimizer.zero_grad(set_to_none=True)
    loss = F.cross_entropy(forward(x), labels)
    loss.backward()
    optimizer.step()
    loss.item()


measure(step, "torch.compile" if compiled else "eager")
