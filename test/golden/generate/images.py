"""imageInput and gatherImages, from the formula in docs/vocabulary.md, in NumPy."""

import numpy as np

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
HEIGHT, WIDTH, COUNT = 8, 7, 4


def pixel_values(image, pad_mode, pad):
    """The padded image, normalised."""
    mode = {"mode": "reflect"} if pad_mode == "reflect" else {"mode": "constant"}
    padded = np.pad(image, ((pad, pad), (pad, pad), (0, 0)), **mode)
    return (padded.astype(np.float64) / 255 - MEAN) / STD


def one_image(image, offset, flip, cutout_centre, size, channels, pad, padMode, cutout):
    (top, left), (height, width) = offset, size
    x = pixel_values(image, padMode, pad)[top : top + height, left : left + width]
    x = x[:, ::-1].copy() if flip else x.copy()
    if cutout:
        cy, cx = (int(c) - cutout // 2 for c in cutout_centre)
        x[max(cy, 0) : max(cy + cutout, 0), max(cx, 0) : max(cx + cutout, 0)] = 0
    return np.pad(x, ((0, 0), (0, 0), (0, channels - x.shape[2])))


def example(file, name, op, size=(HEIGHT, WIDTH), channels=3, pad=2, pad_mode="zero", cutout=0):
    g = file.group(f"{op}/{name}")
    source = g.random.randint(0, 256, (COUNT, HEIGHT, WIDTH, 3)).astype(np.uint8)
    indices = np.array([2, 0, -1, 3], np.int32) if op == "gatherImages" else np.arange(COUNT, dtype=np.int32)
    room = HEIGHT + 2 * pad - size[0], WIDTH + 2 * pad - size[1]
    offsets = np.stack([g.random.randint(0, r + 1, COUNT) for r in room], 1)
    flips = np.array([0, 1, 0, 1], np.uint8)
    centres = np.stack([g.random.randint(0, s, COUNT) for s in size], 1)
    how = {"pad": pad, "padMode": pad_mode, "cutout": cutout}
    blank = np.zeros((*size, channels))
    rows = zip(indices, offsets, flips, centres)
    x = [one_image(source[i], o, f, c, size, channels, **how) if i >= 0 else blank for i, o, f, c in rows]
    operands = {"dataset": source, "indices": indices} if op == "gatherImages" else {"images": source}
    operands |= {"offsets": offsets, "flips": flips}
    if cutout:
        operands["cutouts"] = centres
    g.put(**operands, x=np.stack(x))
    g.case(op, " ".join(operands), "x", mean=MEAN, std=STD, **how)


def add_to(file):
    for op in ("imageInput", "gatherImages"):
        example(file, "crop", op)
        example(file, "reflect", op, pad_mode="reflect")
        example(file, "cutout", op, cutout=3)
        example(file, "smallerEightChannels", op, size=(5, 6), channels=8, pad=0)
