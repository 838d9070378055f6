"""Inferences of ResNet-50 with PyTorch, in its two fast forms: torch.compile with constants folded (freezing), which needs a
C++ compiler, or torch.jit.optimize_for_inference, which needs none."""

import torch
from safetensors.torch import load_file

from job import autocast, compiled, images, job, measure
from networks import ResNet50

weights = {name: w.permute(0, 3, 1, 2) if w.ndim == 4 else w for name, w in load_file(job["weights"]).items()}
model = ResNet50()
missing, unexpected = model.load_state_dict(weights, strict=False)
if unexpected or any(not name.endswith("num_batches_tracked") for name in missing):
    raise SystemExit(f"the weights do not fit: missing {missing}, unexpected {unexpected}")
model = model.eval().to(memory_format=torch.channels_last)
x = images()
# What autocast has cast must not be kept: it would become a constant of the trace.
with torch.inference_mode(), autocast(cache_enabled=False):
    if compiled:
        import torch._inductor.config

        torch._inductor.config.freezing = True
        model = torch.compile(model)
    else:
        model = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(model, x)))
    measure(lambda: model(x), "torch.compile, freezing" if compiled else "torch.jit.optimize_for_inference")
