"""Writes the golden files beside this script: small answers of PyTorch, in this package's layout and names.

    python test/golden/make_golden.py

Needs torch, numpy and safetensors (tested with torch 2.13 for CPU). The same versions give the same bytes.
"""

from pathlib import Path

import torch
from generate import block, convolution, elementwise, families, images, loss, norm, pooling, resnet, update
from generate.golden_file import GoldenFile
from safetensors import safe_open

HERE = Path(__file__).parent


def layers():
    file = GoldenFile()
    for part in (convolution, norm, pooling, elementwise, loss, update, images):
        part.add_to(file)
    file.write(HERE / "layers.safetensors")


def check(path):
    """The file opens with the safetensors library."""
    with safe_open(path, framework="numpy") as file:
        print(f"{path.name}: {path.stat().st_size:,} bytes, {len(file.keys())} tensors")


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    layers()
    block.write(HERE / "block.safetensors")
    families.write(HERE / "families.safetensors")
    batches = resnet.make_data()
    resnet.write_step(HERE / "resnet20_step.safetensors", *batches)
    resnet.write_trajectory(HERE / "trajectory.safetensors", HERE / "trajectory.json", *batches)
    for path in sorted(HERE.glob("*.safetensors")):
        check(path)


if __name__ == "__main__":
    main()
