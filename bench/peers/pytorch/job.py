"""The bench's side of a PyTorch process: see ../job.ts. With --compile as second argument the model is given to torch.compile."""

import json
import re
import sys
import time

import torch

job = json.loads(sys.argv[1])
compiled = "--compile" in sys.argv[2:]
torch.set_num_threads(job["threads"])


def autocast(**more):
    return torch.autocast("cpu", torch.bfloat16, enabled=job["precision"] == "bf16", **more)


def images():
    """[batch, 3, size, size] in memory as [batch, size, size, 3], which PyTorch calls channels_last."""
    batch, size = job["batch"], job["size"]
    values = torch.sin(torch.arange(batch * size * size * 3, dtype=torch.float64) * 0.37)
    return values.float().reshape(batch, size, size, 3).permute(0, 3, 1, 2)


def peak_bytes():
    """As peakBytes of ../job.ts."""
    with open("/proc/self/status") as status:
        return int(re.search(r"^VmHWM:\s+(\d+) kB$", status.read(), re.M)[1]) * 1024


def measure(run, form, **more):
    """Times run() and prints the line of JSON, with `more`; what run() returns, if anything, is the output."""
    for _ in range(job["warmUp"]):
        run()
    milliseconds = []
    for _ in range(job["steps"]):
        start = time.perf_counter()
        output = run()
        milliseconds.append((time.perf_counter() - start) * 1000)
    timing = {
        "peer": f"PyTorch {torch.__version__} {form}" + (", autocast" if job["precision"] == "bf16" else ""),
        "threads": torch.get_num_threads(),
        "milliseconds": milliseconds,
        "peakBytes": peak_bytes(),
        **more,
    }
    if output is not None:
        timing["output"] = output.flatten().tolist()
    print(json.dumps(timing))
