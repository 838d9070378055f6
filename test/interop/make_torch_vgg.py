"""
Writes torch_vgg.safetensors, the state dict of a narrow VGG-11 with batch norm under torchvision's names, as PyTorch saves it, and
torch_vgg_expected.safetensors, what the network gives for images by a formula: python make_torch_vgg.py (needs torch, safetensors).
"""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

WIDTH, HEAD, CLASSES = 1, 2, 5


class VGG(nn.Module):
    def __init__(self):
        super().__init__()
        layers, channels = [], 3
        for group, convolutions in enumerate([1, 1, 2, 2, 2]):
            wide = WIDTH * min(2**group, 8)
            for _ in range(convolutions):
                layers += [nn.Conv2d(channels, wide, 3, padding=1), nn.BatchNorm2d(wide), nn.ReLU()]
                channels = wide
            layers.append(nn.MaxPool2d(2))
        hidden = 64 * WIDTH
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(HEAD)
        self.classifier = nn.Sequential(
            nn.Linear(channels * HEAD**2, hidden), nn.ReLU(), nn.Dropout(),
            nn.Linear(hidden, hidden), nn.ReLU(), nn.Dropout(),
            nn.Linear(hidden, CLASSES),
        )  # fmt: skip

    def forward(self, x):
        return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))


torch.manual_seed(1)
net = VGG()
images = (torch.arange(2 * 64 * 128 * 3) * 37 % 101 / 50 - 1).reshape(2, 64, 128, 3)  # [N, H, W, C]
with torch.no_grad():
    for _ in range(20):
        net(torch.randn(8, 3, 64, 64))  # running statistics
    for part in net.classifier:
        if isinstance(part, nn.Linear):
            part.weight.mul_(3)  # outputs that depend on the image, not on biases alone
net.eval()
here = Path(__file__).parent
save_file(net.state_dict(), here / "torch_vgg.safetensors", metadata={"format": "pt"})
output = net(images.permute(0, 3, 1, 2)).detach()
save_file({"output": output}, here / "torch_vgg_expected.safetensors", metadata={"torch": torch.__version__})
