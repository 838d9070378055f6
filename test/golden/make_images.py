"""Writes test/golden/images: a small photograph-like JPEG in several colour spaces and as PNG, and Pillow's answers to the views that
native/input/view.h chooses of them. Run with Pillow 13: python3 test/golden/make_images.py"""

import math
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

FOLDER = Path(__file__).parent / "images"
WIDTH, HEIGHT = 183, 138


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


def random_resized_crop(image, seed, epoch, index, size):
    """torchvision's RandomResizedCrop and RandomHorizontalFlip with numbers of Philox."""
    width, height = image.size
    uniform = lambda word, low, high: low + (high - low) * (word / 2**32)
    below = lambda word, n: word * n >> 32
    for attempt in range(10):
        words = philox_block(seed, epoch, 0xFFFFFF03, 16 * index + attempt)
        area = width * height * uniform(words[0], 0.08, 1)
        ratio = math.exp(uniform(words[1], math.log(3 / 4), math.log(4 / 3)))
        w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < w <= width and 0 < h <= height:
            top, left = below(words[2], height - h + 1), below(words[3], width - w + 1)
            break
    else:
        raise SystemExit(f"index {index}: no crop fits; choose another seed")
    cropped = image.crop((left, top, left + w, top + h)).resize((size, size), Image.Resampling.BILINEAR)
    flip = philox_block(seed, epoch, 0xFFFFFF03, 16 * index + 15)[0] >> 31
    return cropped.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if flip else cropped


def centre(image, resize, size):
    width, height = image.size
    new = (resize, resize * height // width) if width <= height else (resize * width // height, resize)
    left, top = round((new[0] - size) / 2), round((new[1] - size) / 2)
    return image.resize(new, Image.Resampling.BILINEAR).crop((left, top, left + size, top + size))


def picture():
    """Smooth shading, edges, fine texture and strong colours."""
    image = Image.new("RGB", (WIDTH, HEIGHT))
    pixels = image.load()
    for y in range(HEIGHT):
        for x in range(WIDTH):
            wave = 40 * math.sin(x / 7 + y / 11) + 20 * math.sin(x * 1.9) * math.cos(y * 2.3)
            pixels[x, y] = tuple(max(0, min(255, int(v + wave))) for v in (x * 255 / WIDTH, y * 255 / HEIGHT, 128 + 60 * math.sin((x - y) / 25)))
    draw = ImageDraw.Draw(image)
    draw.ellipse((20, 25, 90, 95), fill=(230, 60, 30))
    draw.rectangle((110, 40, 165, 120), fill=(20, 40, 200))
    draw.line((0, 130, 182, 10), fill=(250, 250, 240), width=3)
    return image.filter(ImageFilter.GaussianBlur(0.6))


def shape(index):
    """A small picture of one of three classes, told apart by the colour of a disc on a noisy ground."""
    words = [word for block in range(4) for word in philox_block(1, 0, 0, 4 * index + block)]
    image = Image.new("RGB", (40, 32))
    ground = words[0] % 120
    image.putdata([(ground + (x * y + words[1]) % 50,) * 3 for y in range(32) for x in range(40)])
    colour = [40, 40, 40]
    colour[index % 3] = 200 + words[2] % 55
    x, y, radius = 12 + words[3] % 16, 10 + words[4] % 12, 8 + words[5] % 4
    ImageDraw.Draw(image).ellipse((x - radius, y - radius, x + radius, y + radius), fill=tuple(colour))
    return image


def main():
    FOLDER.mkdir(exist_ok=True)
    image = picture()
    image.save(FOLDER / "rgb420.jpg", quality=90)
    image.save(FOLDER / "rgb444.jpg", quality=92, subsampling=0)
    image.save(FOLDER / "rgb422_progressive.jpg", quality=88, subsampling=1, progressive=True)
    image.convert("L").save(FOLDER / "grey.jpg", quality=90)
    image.convert("CMYK").save(FOLDER / "cmyk.jpg", quality=92)
    image.save(FOLDER / "rgb.png")
    image.quantize(64).save(FOLDER / "palette.png")
    image.convert("L").save(FOLDER / "grey.png")
    names = sorted(path.name for path in FOLDER.iterdir() if path.suffix in (".jpg", ".png"))
    answers = bytearray()
    for index, name in enumerate(names):
        decoded = Image.open(FOLDER / name).convert("RGB")
        for epoch in range(4):
            answers += random_resized_crop(decoded, 7, epoch, index, 48).tobytes()
        answers += centre(decoded, 64, 56).tobytes()
        answers += centre(decoded, 200, 184).tobytes()[: 184 * 16 * 3]
    with open(FOLDER / "shapes.jpgs", "wb") as file:  # one JPEG after the other
        for index in range(60):
            shape(index).save(file, "JPEG", quality=80)
    (FOLDER / "pillow.bin").write_bytes(bytes(answers))


main()
