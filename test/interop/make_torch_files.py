"""
Writes torch_net.safetensors, the state dict of a small network as PyTorch saves it, and torch_net_expected.safetensors, what the
network gives and what fine-tuning its last layer gives, images as [N, H, W, C]: python make_torch_files.py (needs torch, safetensors).
"""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, (3, 2), bias=False)
        self.bn = nn.BatchNorm2d(4)
        self.fc = nn.Linear(4, 3)

    def forward(self, x):
        return self.fc(torch.relu(self.bn(self.conv(x))).mean((2, 3)))


torch.manual_seed(1)
net = Net()
batches = torch.randn(3, 4, 3, 6, 6)
labels = torch.tensor([[0, 1, 2, 0], [2, 1, 1, 0], [0, 2, 1, 2]])
with torch.no_grad():
    for images in batches:
        net(2 * images + 1)  # running statistics that are not those of a batch

here = Path(__file__).parent
save_file(net.state_dict(), here / "torch_net.safetensors", metadata={"format": "pt"})

net.eval()
output = net(batches[0]).detach().clone()
for part in (net.conv, net.bn):
    part.requires_grad_(False)
optimizer = torch.optim.SGD(net.fc.parameters(), lr=0.1, momentum=0.9)
for images, truth in zip(batches, labels):
    optimizer.zero_grad()
    nn.functional.cross_entropy(net(images), truth).backward()
    optimizer.step()

save_file(
    {
        "images": batches.permute(0, 1, 3, 4, 2).contiguous(),
        "labels": labels.int(),
        "output": output,
        "tuned.weight": net.fc.weight.detach(),
        "tuned.bias": net.fc.bias.detach(),
    },
    here / "torch_net_expected.safetensors",
    metadata={"torch": torch.__version__},
)
