"""Makes photographs of ImageNet's kind, about 500x375 at quality 90 to 95, out of those of Debian's wallpaper packages, which apt
downloads: python3 bench/photographs.py FOLDER [COUNT]. Needs Pillow, apt-get and dpkg-deb; installs nothing."""

import random
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

PACKAGES = ["mate-backgrounds", "lomiri-wallpapers-16.04", "lomiri-wallpapers-20.04"]
CLASSES = 10


def originals(folder):
    """The photographs, without drawings, which compress to little."""
    subprocess.run(["apt-get", "download", *PACKAGES], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    for package in Path(folder).glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", package, folder], check=True)
    found = []
    for path in sorted(Path(folder).rglob("*.jpg")):
        with Image.open(path) as image:
            if path.stat().st_size / (image.width * image.height) > 0.12:
                found.append(image.convert("RGB"))
    return found


def main(out, count):
    draw = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        photographs = originals(folder)
    print(f"{len(photographs)} photographs")
    total = 0
    for i in range(count):
        photograph = photographs[i % len(photographs)]
        width, height = draw.choice([(500, 375), (500, 375), (500, 333), (375, 500), (500, 400)])
        # A part of the photograph, from all of it to what is not enlarged.
        share = draw.uniform(max(width / photograph.width, height / photograph.height), 1)
        scale = share * min(photograph.width / width, photograph.height / height)
        w, h = round(width * scale), round(height * scale)
        left, top = draw.randint(0, photograph.width - w), draw.randint(0, photograph.height - h)
        image = photograph.resize((width, height), Image.Resampling.LANCZOS, (left, top, left + w, top + h), reducing_gap=3)
        path = Path(out) / "train" / f"class{i % CLASSES}" / f"{i:05}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path, quality=draw.randint(90, 95))
        total += path.stat().st_size
    print(f"{count} images of {total / count / 1000:.0f} KB on average in {out}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1000)
