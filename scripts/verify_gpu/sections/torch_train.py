"""Times training steps with PyTorch on a GPU, as a user would write them: channels_last, autocast for bf16, SGD with momentum.
The argument is a job in JSON (benchmarks.ts, torch.ts); the last line printed is {"milliseconds": [...]}."""

import json
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn


class BasicBlock(nn.Module):
    def __init__(self, cin, cout, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(cin, cout, 3, stride, 1, bias=False), nn.BatchNorm2d(cout)
        self.conv2, self.bn2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False), nn.BatchNorm2d(cout)
        self.stride, self.extra = stride, cout - cin

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)), inplace=True)))
        if self.extra:
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.extra))
        return F.relu(y + x, inplace=True)


class Bottleneck(nn.Module):
    def __init__(self, cin, width, stride):
        super().__init__()
        cout = 4 * width
        self.conv1, self.bn1 = nn.Conv2d(cin, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, cout, 1, bias=False), nn.BatchNorm2d(cout)
        self.shortcut = nn.Identity()
        if stride != 1 or cin != cout:
            self.shortcut = nn.Sequential(nn.Conv2d(cin, cout, 1, stride, bias=False), nn.BatchNorm2d(cout))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = F.relu(self.bn2(self.conv2(y)), inplace=True)
        return F.relu(self.bn3(self.conv3(y)) + self.shortcut(x), inplace=True)


def cifar_resnet(depth):
    widths = [16] + [width for width in (16, 32, 64) for _ in range((depth - 2) // 6)]
    blocks = [BasicBlock(a, b, 1 if a == b else 2) for a, b in zip(widths, widths[1:])]
    stem = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True)]
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def resnet50():
    layers = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)]
    cin = 64
    for i, (blocks, width) in enumerate([(3, 64), (4, 128), (6, 256), (3, 512)]):
        for block in range(blocks):
            layers.append(Bottleneck(cin, width, 2 if i > 0 and block == 0 else 1))
            cin = 4 * width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2048, 1000))


job = json.loads(sys.argv[1])
device = torch.device(job["device"])
network, batch, size = job["network"], job["batch"], job["size"]
# As this package computes by default: f32 is f32.
torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
torch.backends.cudnn.benchmark = True
torch.manual_seed(0)
model = (resnet50() if network == "resnet50" else cifar_resnet(int(network[len("resnet") :]))).to(device, memory_format=torch.channels_last)
forward = torch.compile(model) if job["form"] == "compile" else model
classes = 1000 if network == "resnet50" else 10
raw = torch.randint(0, 256, (batch, 3, size, size), dtype=torch.uint8, device=device).to(memory_format=torch.channels_last)
labels = torch.arange(batch, device=device) % classes
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
# What the other side of the comparison does too: the images come as bytes from the host.
host = raw.cpu().pin_memory()


def step():
    x = host.to(device, non_blocking=True).float().div_(255)
    optimizer.zero_grad(set_to_none=True)
    with torch.autocast("cuda", torch.bfloat16, enabled=job["precision"] == "bf16"):
        loss = F.cross_entropy(forward(x), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


milliseconds = []
for i in range(job["warmUp"] + job["steps"]):
    start = time.perf_counter()
    step()
    if i >= job["warmUp"]:
        milliseconds.append((time.perf_counter() - start) * 1000)
print(json.dumps({"milliseconds": milliseconds, "torch": torch.__version__}))
