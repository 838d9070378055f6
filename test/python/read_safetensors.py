"""Prints a safetensors file as JSON: read_safetensors.py FILE. {metadata, tensors: {name: [dtype, shape, values]}}"""

import json
import sys

from safetensors import safe_open

with safe_open(sys.argv[1], framework="numpy") as file:
    tensors = {name: file.get_tensor(name) for name in file.keys()}
    listed = {name: [str(each.dtype), list(each.shape), each.ravel().tolist()] for name, each in tensors.items()}
    print(json.dumps({"metadata": file.metadata(), "tensors": listed}))
