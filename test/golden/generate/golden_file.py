"""A golden file: named tensors in our layout, and what to do with them. Written as safetensors, the same bytes each time.

A `Group` is one example. Its tensors have the keys '<group>/<operand>'; its cases say which operation maps which of them
to which. Values are computed in float64 from the float32 inputs that the file holds, and rounded to float32 once.
"""

import json
import zlib

import numpy as np
import torch

DTYPES = {"float32": "F32", "int32": "I32", "uint8": "U8"}


class GoldenFile:
    def __init__(self):
        self.tensors = {}
        self.cases = []
        self.gradients = []

    def group(self, name):
        return Group(self, name)

    def put(self, key, value):
        array = np.ascontiguousarray(value.detach().numpy() if isinstance(value, torch.Tensor) else value)
        if array.dtype == np.float64:
            array = array.astype(np.float32)
        if array.dtype == np.int64:
            array = array.astype(np.int32)
        assert key not in self.tensors, f"{key} is written twice"
        assert array.dtype.name in DTYPES, f"{key} is {array.dtype}"
        self.tensors[key] = array

    def write(self, path, **metadata):
        """The safetensors library writes metadata in random order, hence by hand."""
        if self.cases:
            metadata |= {"cases": self.cases, "gradients": self.gradients}
        metadata |= {"torch": torch.__version__, "numpy": np.__version__}
        header = {"__metadata__": {k: v if isinstance(v, str) else json.dumps(v) for k, v in metadata.items()}}
        body = b""
        # Larger element sizes first keeps every tensor aligned.
        for key, array in sorted(self.tensors.items(), key=lambda item: (-item[1].itemsize, item[0])):
            data = array.tobytes()
            offsets = [len(body), len(body) + len(data)]
            header[key] = {"dtype": DTYPES[array.dtype.name], "shape": list(array.shape), "data_offsets": offsets}
            body += data
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        path.write_bytes(len(text).to_bytes(8, "little") + text + body)


class Group:
    def __init__(self, file, name):
        self.file = file
        self.name = name
        self.random = np.random.RandomState(zlib.crc32(name.encode()))

    def normal(self, *shape, scale=1.0, shift=0.0):
        """Random float32 values."""
        return (self.random.standard_normal(shape) * scale + shift).astype(np.float32)

    def put(self, **tensors):
        for operand, value in tensors.items():
            self.file.put(f"{self.name}/{operand}", value)

    def case(self, op, reads, writes, step=None, **attributes):
        """run(op, reads, attributes) must give writes. An operand on both sides: its new value has the key '….after'."""
        entry = {"op": op, "name": self.name, "attributes": attributes, "reads": reads.split(), "writes": writes.split()}
        self._check(entry["reads"])
        self._check([f"{w}.after" if w in entry["reads"] else w for w in entry["writes"]])
        self.file.cases.append(entry | ({"step": step} if step else {}))

    def gradient(self, op, reads, gradients, **attributes):
        """The gradient of sum(y * dy) for each read that `gradients` names, 'x:dx w:dw'; y is the first output of op."""
        pairs = dict(pair.split(":") for pair in gradients.split())
        self._check([*reads.split(), "dy", *pairs.values()])
        self.file.gradients.append(
            {"op": op, "name": self.name, "attributes": attributes, "reads": reads.split(), "gradients": pairs}
        )

    def _check(self, operands):
        for operand in operands:
            assert f"{self.name}/{operand}" in self.file.tensors, f"{self.name}/{operand} is not in the file"


def leaf(array):
    """A float64 tensor that takes a gradient, in the array's own layout."""
    return torch.tensor(array, dtype=torch.float64, requires_grad=True)


def nchw(tensor):
    """NHWC to NCHW, and KRSC to KCRS."""
    return tensor.permute(0, 3, 1, 2)


def nhwc(tensor):
    """NCHW to NHWC, and KCRS to KRSC."""
    return tensor.permute(0, 2, 3, 1)


def clear_of_zero(tensor):
    """Values this near to zero could change sign in float32, and a ReLU's mask with them."""
    assert tensor.abs().min() > 1e-6, "a ReLU's input is too near to zero: change the seed"
    return tensor
