"""Optimizer steps, the moving average of the weights, and gradient clipping; flat vectors, two parameter groups."""

import numpy as np
import torch
from torch.optim.swa_utils import get_ema_multi_avg_fn

from .golden_file import leaf

SIZES = (7, 5)  # elements of the two groups
RANGES = (0, 7, 0, 7, 5, 1)  # offset, count, group
LEARNING_RATES = (0.1, 0.05)
STEPS = 3


def state_of(updates):
    """finite, scale, norm, updates, skipped, loss scale"""
    state = np.zeros(16, np.float32)
    state[[0, 1, 3, 5]] = 1, 1, updates, 1
    return state


def flat(tensors):
    return torch.cat([t.detach() for t in tensors])


def optimizer_steps(file, name, op, slots, make, weight_decay, **attributes):
    """`slots`: our name of each state vector and PyTorch's. Every step's inputs are the step before's outputs."""
    setup = file.group(name)
    weights = [torch.nn.Parameter(torch.tensor(setup.normal(n), dtype=torch.float64)) for n in SIZES]
    groups = [{"params": [w], "lr": r, "weight_decay": d} for w, r, d in zip(weights, LEARNING_RATES, weight_decay)]
    optimizer = make(groups)

    def snapshot():
        values = {"weights": flat(weights)}
        for ours, theirs in slots.items():
            values[ours] = flat([optimizer.state[w].get(theirs, torch.zeros_like(w)) for w in weights])
        return values

    for step in range(STEPS):
        g = file.group(f"{name}/step{step}")
        before = snapshot()
        for w in weights:
            w.grad = torch.tensor(g.normal(w.numel()), dtype=torch.float64)
        gradient = flat([w.grad for w in weights])
        optimizer.step()
        g.put(gradient=gradient, state=state_of(step + 1), **before)
        g.put(**{f"{key}.after": value for key, value in snapshot().items()})
        writes = " ".join(["weights", *slots])
        where = {"ranges": RANGES, "weightDecay": weight_decay}
        g.case(op, f"gradient state {writes}", writes, step={"learningRate": LEARNING_RATES}, **attributes, **where)


def sgd(file, name, momentum, nesterov=False, dampening=0.0, weight_decay=(0.0, 0.0)):
    slots = {"velocity": "momentum_buffer"} if momentum else {}
    make = lambda groups: torch.optim.SGD(groups, momentum=momentum, dampening=dampening, nesterov=nesterov)
    attributes = {"momentum": momentum, "dampening": dampening, "nesterov": int(nesterov)}
    optimizer_steps(file, f"sgdUpdate/{name}", "sgdUpdate", slots, make, weight_decay, **attributes)


def adamw(file, name, betas, epsilon, weight_decay):
    make = lambda groups: torch.optim.AdamW(groups, betas=betas, eps=epsilon)
    slots = {"m": "exp_avg", "v": "exp_avg_sq"}
    attributes = {"beta1": betas[0], "beta2": betas[1], "epsilon": epsilon}
    optimizer_steps(file, f"adamwUpdate/{name}", "adamwUpdate", slots, make, weight_decay, **attributes)


def ema(file):
    g = file.group("emaUpdate")
    weights, average = leaf(g.normal(12)).detach(), leaf(g.normal(12)).detach()
    g.put(weights=weights, state=state_of(1), ema=average)
    get_ema_multi_avg_fn(0.99)([average], [weights], 0)
    g.put(**{"ema.after": average})
    g.case("emaUpdate", "weights state ema", "ema", decay=0.99)


def gradient_norm(file, name, max_norm):
    """PyTorch scales the gradient; here the factor goes into state, and the optimizer applies it."""
    g = file.group(f"gradNorm/{name}")
    parameter = torch.nn.Parameter(torch.zeros(50, dtype=torch.float64))
    gradient = torch.tensor(g.normal(50), dtype=torch.float64)
    parameter.grad = gradient.clone()
    norm = torch.nn.utils.clip_grad_norm_([parameter], max_norm if max_norm else float("inf"))
    before, after = state_of(4), state_of(5)
    after[1] = (parameter.grad / gradient).mean()
    after[2] = norm
    g.put(gradient=gradient, loss=np.array([1.5], np.float32), state=before, **{"state.after": after})
    g.case("gradNorm", "loss state gradient", "state", maxNorm=max_norm)


def add_to(file):
    sgd(file, "plain", 0.0)
    sgd(file, "momentum", 0.9)
    sgd(file, "dampening", 0.9, dampening=0.1)
    sgd(file, "nesterov", 0.9, nesterov=True)
    sgd(file, "nesterovDecay", 0.9, nesterov=True, weight_decay=(1e-2, 0.0))
    adamw(file, "defaults", (0.9, 0.999), 1e-8, (0.0, 0.0))
    adamw(file, "decay", (0.9, 0.99), 1e-6, (0.05, 0.0))
    ema(file)
    gradient_norm(file, "clipped", 1.0)
    gradient_norm(file, "small", 100.0)
    gradient_norm(file, "off", 0.0)
