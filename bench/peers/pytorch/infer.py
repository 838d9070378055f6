"""Inferences of ResNet-50 with PyTorch, in its two fast forms: torch.compile with constants folded (freezing), which needs a
C++ compiler, or torch.jit.optimize_for_inference, which needs none."""

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn

from job import compiled, images, job, measure


class Bottleneck(nn.Module):
    def __init__(self, cin, width, stride):
        super().__init__()
        cout = 4 * width
        self.conv1, self.bn1 = nn.Conv2d(cin, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, cout, 1, bias=False), nn.BatchNorm2d(cout)
        self.downsample = None
        if stride != 1 or cin != cout:
            self.downsample = nn.Sequential(nn.Conv2d(cin, cout, 1, stride, bias=False), nn.BatchNorm2d(cout))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = F.relu(self.bn2(self.conv2(y)), inplace=True)
        shortcut = x if self.downsample is None else self.downsample(x)
        return F.relu(self.bn3(self.conv3(y)) + shortcut, inplace=True)


class ResNet50(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64)
        cin = 64
        for i, (blocks, width) in enumerate([(3, 64), (4, 128), (6, 256), (3, 512)]):
            first = Bottleneck(cin, width, 1 if i == 0 else 2)
            cin = 4 * width
            setattr(self, f"layer{i + 1}", nn.Sequential(first, *[Bottleneck(cin, width, 1) for _ in range(blocks - 1)]))
        self.fc = nn.Linear(2048, 1000)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x)), inplace=True), 3, 2, 1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))


weights = {name: w.permute(0, 3, 1, 2) if w.ndim == 4 else w for name, w in load_file(job["weights"]).items()}
model = ResNet50()
missing, unexpected = model.load_state_dict(weights, strict=False)
if unexpected or any(not name.endswith("num_batches_tracked") for name in missing):
    raise SystemExit(f"the weights do not fit: missing {missing}, unexpected {unexpected}")
model = model.eval().to(memory_format=torch.channels_last)
x = images()
with torch.inference_mode():
    if compiled:
        import torch._inductor.config

        torch._inductor.config.freezing = True
        model = torch.compile(model)
    else:
        model = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(model, x)))
    measure(lambda: model(x), "torch.compile, freezing" if compiled else "torch.jit.optimize_for_inference")
