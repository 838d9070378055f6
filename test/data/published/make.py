"""Makes the small files beside it, in the formats of the published CIFAR and SVHN files. Needs numpy and scipy.

Pixel (n, row, column, channel) of file number k is (7n + 3row + 5column + 11channel + 13k) % 256.
"""

import io
import pickle
from pathlib import Path

import numpy as np
from scipy.io import savemat

HERE = Path(__file__).parent


def images(count, k):
    n, row, column, channel = np.ogrid[:count, :32, :32, :3]
    return ((7 * n + 3 * row + 5 * column + 11 * channel + 13 * k) % 256).astype(np.uint8)


class Python2Pickler(pickle._Pickler):
    """Writes what Python 2 wrote with numpy 1: one kind of string, and numpy's old name of its function."""

    dispatch = dict(pickle._Pickler.dispatch)

    def save_string(self, value):
        data = value.encode() if isinstance(value, str) else value
        size = len(data)
        self.write(pickle.SHORT_BINSTRING + bytes([size]) if size < 256 else pickle.BINSTRING + size.to_bytes(4, "little"))
        self.write(data)
        self.memoize(value)

    dispatch[str] = save_string
    dispatch[bytes] = save_string

    def save_global(self, value, name=None):
        if value is np.zeros(1).__reduce__()[0]:
            self.write(b"cnumpy.core.multiarray\n_reconstruct\n")
            self.memoize(value)
        else:
            super().save_global(value, name)

    dispatch[type(np.zeros)] = save_global
    dispatch[type(len)] = save_global
    dispatch[type] = save_global


def write_pickle(file, content, protocol=2):
    file.parent.mkdir(exist_ok=True)
    buffer = io.BytesIO()
    (Python2Pickler if protocol == 2 else pickle.Pickler)(buffer, protocol).dump(content)
    file.write_bytes(buffer.getvalue())


def planes(count, k):
    return np.ascontiguousarray(images(count, k).transpose(0, 3, 1, 2)).reshape(count, 3072)


def cifar10(name, k):
    return {
        "batch_label": name,
        "labels": [k, 9],
        "data": planes(2, k),
        "filenames": [f"{k}_{n}.png" for n in range(2)],
    }


def cifar100(name, k):
    return {
        "filenames": [f"{k}_{n}.png" for n in range(3)],
        "batch_label": name,
        "fine_labels": [k, 99, 50],
        "coarse_labels": [19, 0, 1],
        "data": planes(3, k),
    }


for k, name in enumerate(["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"]):
    write_pickle(HERE / "cifar-10-batches-py" / name, cifar10(name, k))
for k, name in enumerate(["train", "test"]):
    write_pickle(HERE / "cifar-100-python" / name, cifar100(name, k))
for protocol in 3, 4, 5:
    write_pickle(HERE / "protocols" / str(protocol), cifar100("train", 0), protocol)

for k, (name, labels, compress) in enumerate(
    [
        ("train", np.array([[1], [10], [3]], np.uint8), True),
        ("extra", np.array([[2], [9], [10], [4]], np.float64), False),
        ("test", np.array([[5], [10]], np.float64), True),
    ]
):
    pixels = images(len(labels), k).transpose(1, 2, 3, 0)
    savemat(HERE / f"{name}_32x32.mat", {"X": pixels, "y": labels}, do_compression=compress)
savemat(HERE / "other.mat", {"name": "text", "cell": np.array([1, "a"], object), "X": np.arange(3.0)})
