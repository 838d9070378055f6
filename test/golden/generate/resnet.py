"""resnet20_step and trajectory files: ResNet-20 in training, published and erased, from the same weights."""

import copy
import json

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from .golden_file import GoldenFile, nchw
from .network import ARMS, ResNet20, gradients, initial_values, load, state

STEP_OPTIMIZER = {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 1e-4}
TRAJECTORY_OPTIMIZER = STEP_OPTIMIZER | {"lr": 0.01}
STEPS, BATCH, SIZE, CLASSES = 10, 8, 16, 10
MEAN, STD = 0.5, 0.25
CLEARANCE = 1e-5  # of every ReLU's input from zero: float32 must not land on the other side
FLOAT32_RUNS = 32
DISTURBANCE = 2 * 2.0**-23
LARGEST_AFTER = 20000  # filters with more elements keep only their gradients, for the size of the file


def make_weights():
    return initial_values(ResNet20(False), np.random.RandomState(1))


def normalised(images):
    return ((images.astype(np.float64) / 255 - MEAN) / STD).astype(np.float32)


def disturbed(weights, random):
    """Weights changed by a few roundings at random: no less than what another order of summation does to a float32 run."""
    return {k: (v * (1 + random.choice([-1, 1], v.shape) * DISTURBANCE)).astype(np.float32) for k, v in weights.items()}


def runs(optimizer, erased):
    """The float64 run, and float32 runs that differ by rounding only: the first from the very same weights."""
    weights = make_weights()
    exact = Training(weights, erased, torch.float64, optimizer)
    others = [disturbed(weights, np.random.RandomState(i)) for i in range(1, FLOAT32_RUNS)]
    return exact, [Training(w, erased, torch.float32, optimizer) for w in [weights, *others]]


class Training:
    def __init__(self, weights, erased, dtype, optimizer):
        self.dtype = dtype
        self.net = load(ResNet20(erased), weights).to(dtype)
        self.optimizer = torch.optim.SGD(self.net.parameters(), **optimizer)

    def step(self, x, labels):
        """One step; its answers by name, float64."""
        self.optimizer.zero_grad()
        logits = self.net(nchw(torch.tensor(x, dtype=self.dtype)))
        loss = F.cross_entropy(logits, torch.tensor(labels, dtype=torch.int64))
        loss.backward()
        gradient = gradients(self.net)
        norm = torch.sqrt(sum(v.double().square().sum() for v in gradient.values()))
        self.optimizer.step()
        answers = {"logits": logits, "loss": loss.reshape(1), "gradientNorm": norm.reshape(1)}
        answers |= {f"gradient/{k}": v for k, v in gradient.items()}
        answers |= {f"after/{k}": v for k, v in state(self.net).items()}
        return {k: v.detach().double() for k, v in answers.items()}


def spread(exact, rounded):
    """The largest |float32 - float64| of each kind of answer over all runs, in units of the tensor's largest value."""
    worst = {}
    for key, value in exact.items():
        error = max((r[key] - value).abs().max().item() for r in rounded) / value.abs().max().item()
        kind = key.split("/")[0]
        worst[kind] = max(worst.get(kind, 0), error)
    return worst


def clearance(net, x):
    """The distance from zero of the ReLU input that is nearest to it."""
    net, nearest = copy.deepcopy(net), []
    for module in net.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_pre_hook(lambda _, inputs: nearest.append(inputs[0].abs().min().item()))
    with torch.no_grad():
        net(nchw(torch.tensor(x, dtype=torch.float64)))
    return min(nearest)


def make_data():
    """Images u8 [step, n, h, w, c]: a pattern for each class, and noise; labels [step, n].

    A value that float32 puts on the other side of a ReLU changes gradients by far more than rounding, and later losses
    with them. So the noise of each batch is drawn until both arms, trained so far, keep clear of that.
    """
    random = np.random.RandomState(20)
    labels = random.randint(0, CLASSES, (STEPS, BATCH)).astype(np.int32)
    patterns = random.standard_normal((CLASSES, SIZE, SIZE, 3))
    arms = [Training(make_weights(), erased, torch.float64, TRAJECTORY_OPTIMIZER) for erased in ARMS.values()]
    images = []
    while len(images) < STEPS:
        chosen = labels[len(images)]
        noise = random.standard_normal((BATCH, SIZE, SIZE, 3))
        batch = np.clip(128 + 40 * patterns[chosen] + 30 * noise, 0, 255).astype(np.uint8)
        if all(clearance(arm.net, normalised(batch)) > CLEARANCE for arm in arms):
            images.append(batch)
            for arm in arms:
                arm.step(normalised(batch), chosen)
    return np.stack(images), labels


def write_step(path, images, labels):
    """The first batch of the trajectory. Answers are float64's; the metadata says how far PyTorch's float32 is from them."""
    file = GoldenFile()
    x, weights = normalised(images[0]), make_weights()
    for key, value in {"x": x, "labels": labels[0], **{f"initial/{k}": v for k, v in weights.items()}}.items():
        file.put(key, value)
    spreads = {}
    for arm, erased in ARMS.items():
        exact_run, float32_runs = runs(STEP_OPTIMIZER, erased)
        exact = exact_run.step(x, labels[0])
        spreads[arm] = spread(exact, [run.step(x, labels[0]) for run in float32_runs])
        kept = {k: v for k, v in exact.items() if not (k.startswith("after/") and v.numel() > LARGEST_AFTER)}
        file.group(arm).put(**kept)
    file.write(path, optimizer=STEP_OPTIMIZER, float32Spread=spreads)


def write_trajectory(data_path, answer_path, images, labels):
    """Loss and gradient norm of ten steps in float64 and float32, and how far float32 runs stray from float64."""
    file = GoldenFile()
    file.put("images", images)
    file.put("labels", labels)
    file.write(data_path, mean=[MEAN] * 3, std=[STD] * 3)
    answer = {"weights": "resnet20_step.safetensors, initial/", "optimizer": TRAJECTORY_OPTIMIZER, "torch": torch.__version__}
    for arm, erased in ARMS.items():
        exact_run, float32_runs = runs(TRAJECTORY_OPTIMIZER, erased)
        answer[arm] = {part: {"loss": [], "gradientNorm": []} for part in ("float64", "float32", "float32Spread")}
        for raw, y in zip(images, labels):
            x = normalised(raw)
            exact, rounded = exact_run.step(x, y), [run.step(x, y) for run in float32_runs]
            worst = spread(exact, rounded)
            for key in ("loss", "gradientNorm"):
                answer[arm]["float64"][key].append(exact[key].item())
                answer[arm]["float32"][key].append(rounded[0][key].item())
                answer[arm]["float32Spread"][key].append(worst[key])
    answer_path.write_text(json.dumps(answer, indent=2) + "\n")
