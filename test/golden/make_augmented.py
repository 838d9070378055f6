"""Writes test/golden/augmented: two small images, and what torch and torchvision make of them with the random numbers of
native/input/colour.h and erase_rectangle.h. Run with torch 2.13, torchvision 0.28 and Pillow: python3 test/golden/make_augmented.py"""

import math
import random
from pathlib import Path

import torch
from PIL import Image
from torchvision.transforms.v2 import functional

FOLDER = Path(__file__).parent / "augmented"
SIDE, SEED, EPOCHS = 32, 7, 8


def philox_block(seed, step, op, block):
    """native/base/philox.h"""
    mask = 0xFFFFFFFF
    c = [block & mask, ((block >> 32) & 0xFFFF) | (((step >> 32) << 16) & mask), op, step & mask]
    k = [seed & mask, seed >> 32]
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & mask, (p0 >> 32) ^ c[3] ^ k[1], p0 & mask]
        k = [(k[0] + 0x9E3779B9) & mask, (k[1] + 0xBB67AE85) & mask]
    return c


def factors(epoch, index, strength):
    words = philox_block(SEED, epoch, 0xFFFFFF04, 2 * index)
    return [1 + strength * (2 * word / 2**32 - 1) for word in words[:3]]


def lighting(epoch, index, std):
    """fb.resnet.torch's Lighting with its constants of ImageNet, [3, 1, 1]; the normal numbers by Box and Muller."""
    w = philox_block(SEED, epoch, 0xFFFFFF04, 2 * index + 1)
    radius = lambda word: math.sqrt(-2 * math.log((word + 1) / 2**32))
    angle = lambda word: 2 * math.pi * word / 2**32
    normal = [radius(w[0]) * math.cos(angle(w[1])), radius(w[0]) * math.sin(angle(w[1])), radius(w[2]) * math.cos(angle(w[3]))]
    alpha = std * torch.tensor(normal, dtype=torch.float64)
    eigenvalues = torch.tensor([0.2175, 0.0188, 0.0045], dtype=torch.float64)
    eigenvectors = torch.tensor(
        [[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]], dtype=torch.float64
    )
    return (eigenvectors * alpha * eigenvalues).sum(1).view(3, 1, 1)


def grey(image):
    return (0.299 * image[0] + 0.587 * image[1] + 0.114 * image[2]).expand(3, -1, -1)


def torch_recipe(image, epoch, index):
    """The steps of fb.resnet.torch one by one, in an order of their own each time; it bounds no values in between."""
    brightness, contrast, saturation = factors(epoch, index, 0.4)
    blend = lambda first, second, alpha: alpha * first + (1 - alpha) * second
    steps = [
        lambda x: blend(x, torch.zeros_like(x), brightness),
        lambda x: blend(x, torch.full_like(x, grey(x)[0].mean().item()), contrast),
        lambda x: blend(x, grey(x), saturation),
    ]
    random.shuffle(steps)
    for step in steps:
        image = step(image)
    return image + lighting(epoch, index, 0.1)


def torchvision_jitter(image, epoch, index):
    """torchvision's own functions on an image that is so soft that they cut nothing off."""
    factor = factors(epoch, index, 0.4)
    steps = list(zip([functional.adjust_brightness, functional.adjust_contrast, functional.adjust_saturation], factor))
    random.shuffle(steps)
    for step, factor in steps:
        image = step(image, factor)
        assert 0 < image.min() and image.max() < 1
    return image


def erased(image, epoch, index, value):
    """torchvision's RandomErasing with numbers of Philox; always."""
    uniform = lambda word, low, high: low + (high - low) * (word / 2**32)
    below = lambda word, n: word * n >> 32
    for attempt in range(10):
        words = philox_block(SEED, epoch, 0xFFFFFF05, 16 * index + attempt)
        area = SIDE * SIDE * uniform(words[0], 0.02, 0.33)
        ratio = math.exp(uniform(words[1], math.log(0.3), math.log(3.3)))
        h, w = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if h < SIDE and w < SIDE:
            top, left = below(words[2], SIDE - h + 1), below(words[3], SIDE - w + 1)
            return functional.erase(image, top, left, h, w, value(h, w) / 255)
    raise SystemExit(f"epoch {epoch}: nothing fits; choose another seed")


def mean_colour(h, w):
    return torch.tensor([124, 116, 104], dtype=torch.float64).view(3, 1, 1)


def noise(epoch, index):
    def value(h, w):
        blocks = [philox_block(SEED, epoch, 0xFFFFFF06, (index << 20) + n) for n in range((3 * h * w + 15) // 16)]
        data = b"".join(word.to_bytes(4, "little") for block in blocks for word in block)
        return torch.tensor(list(data[: 3 * h * w]), dtype=torch.float64).view(h, w, 3).permute(2, 0, 1)

    return value


def pictures():
    """Strong colours up to black and white, and a soft picture."""
    random.seed(1)
    waves = [[[math.sin(x / (3 + c) + c) * math.cos(y / (5 - c)) for c in range(3)] for x in range(SIDE)] for y in range(SIDE)]
    clamp = lambda v: max(0, min(255, round(v)))
    strong = [tuple(clamp(128 + 150 * v + random.uniform(-20, 20)) for v in pixel) for row in waves for pixel in row]
    soft = [tuple(clamp(115 + 30 * v + random.uniform(-5, 5)) for v in pixel) for row in waves for pixel in row]
    for name, pixels in (("strong", strong), ("soft", soft)):
        image = Image.new("RGB", (SIDE, SIDE))
        image.putdata(pixels)
        image.save(FOLDER / f"{name}.png")


def main():
    FOLDER.mkdir(exist_ok=True)
    pictures()
    load = lambda name: functional.pil_to_tensor(Image.open(FOLDER / f"{name}.png")).to(torch.float64) / 255
    answers = bytearray()
    write = lambda image: answers.extend((image * 255).round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).contiguous().numpy().tobytes())
    strong, soft = load("strong"), load("soft")
    for epoch in range(EPOCHS):
        write(torch_recipe(strong, epoch, 0))
        write(torchvision_jitter(soft, epoch, 1))
        write(erased(strong, epoch, 0, mean_colour))
        write(erased(soft, epoch, 1, noise(epoch, 1)))
    (FOLDER / "torchvision.bin").write_bytes(bytes(answers))


main()
