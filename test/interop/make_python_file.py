"""Writes python.safetensors beside this script with the reference implementation: python3 make_python_file.py (needs numpy, safetensors)."""

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

save_file(
    {
        "conv.weight": (np.arange(24, dtype=np.float32) / 8 - 1).reshape(2, 3, 2, 2),
        "labels": np.array([-1, 0, 2147483647], dtype=np.int32),
        "pixels": np.array([[0, 127, 255]], dtype=np.uint8),
        "bn.num_batches_tracked": np.array(7, dtype=np.int64),
        "double": np.array([0.1, -0.0], dtype=np.float64),
        "empty": np.zeros((0, 4), dtype=np.float32),
    },
    Path(__file__).with_name("python.safetensors"),
    metadata={"made_by": "safetensors.numpy", "größe": "ü"},
)
