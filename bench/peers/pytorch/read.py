"""The same images with torchvision's DataLoader: ImageFolder (Pillow), RandomResizedCrop, RandomHorizontalFlip, PILToTensor. On one
processor within the process, which is faster there; on several with as many workers."""

import json
import sys
import time

import torch

try:
    import torchvision
except RuntimeError:
    # Its library is built for another PyTorch (a CPU build beside PyPI's torchvision). Nothing of it is used here.
    stub = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        stub.define(f"{name}(Tensor x) -> Tensor")
    for name in [name for name in sys.modules if name.startswith("torchvision")]:
        del sys.modules[name]
    import torchvision
import PIL
from torchvision import datasets
from torchvision.transforms import v2

job = json.loads(sys.argv[1])
torch.set_num_threads(1)
transform = v2.Compose([v2.RandomResizedCrop(224), v2.RandomHorizontalFlip(), v2.PILToTensor()])
images = datasets.ImageFolder(f"{job['folder']}/train", transform)
workers = job["threads"] if job["threads"] > 1 else 0
loader = torch.utils.data.DataLoader(
    images, job["batch"], shuffle=True, num_workers=workers, drop_last=True, persistent_workers=workers > 0
)


def one_pass():
    return sum(len(labels) for _, labels in loader)


one_pass()
start = time.perf_counter()
count = sum(one_pass() for _ in range(job["passes"]))
rate = count / (time.perf_counter() - start)
print(json.dumps({"peer": f"torchvision {torchvision.__version__} (Pillow {PIL.__version__})", "imagesPerSecond": rate}))
