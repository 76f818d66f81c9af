"""Candidates as sukima's engine trains them against the same candidates one after another in plain torch.

Plain torch is what people write: ``nn.Dropout``, ``torch.optim.Adam``, a loop, and the same measurements after each
epoch (loss and accuracy of training and validation data in inference mode, in large batches). Both sides train the same
rates with the same data, batch size and epochs and may use all cores; the plain side takes the better of one thread and
all. The sides alternate; shown are medians and, as their spread, the least and greatest ratio of neighbours.

    python benchmarks/tune/stacked.py [--rounds 5] [--json FILE] [--only TEXT]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from sukima import Recipe, Task, demo_task
from sukima.engines.local import LocalEngine
from sukima.engines.progress import Silent


def mlp(*widths: int) -> nn.Sequential:
    """Linear layers with ReLU and dropout between them."""
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(widths[:-1]):
        layers += [nn.Linear(fan_in, fan_out), nn.ReLU(), nn.Dropout(0.5)]
    return nn.Sequential(*layers, nn.Linear(widths[-2], widths[-1]))


def cnn() -> nn.Sequential:
    """Two convolutions and two linear layers for 32 × 32 images."""
    return nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.2),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.2),
        nn.Flatten(), nn.Linear(64 * 8 * 8, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10),
    )  # fmt: skip


Rows = tuple[npt.NDArray[Any], npt.NDArray[Any]]


@dataclass(frozen=True)
class Case:
    """What is trained, how many candidates, and the ratio asked for."""

    name: str
    task: Callable[[], Task]
    candidates: int
    asked: float


def _digits() -> Task:
    return replace(demo_task(), model=lambda: mlp(64, 256, 128, 10), batch_size=32, epochs=30, patience=None)


def _mnist() -> Task:
    train, validation = _data("mnist", 3000, 1000)
    return Task(
        model=lambda: mlp(784, 512, 256, 128, 10), train=_flat(train), validation=_flat(validation), metric="accuracy",
        batch_size=32, epochs=3,
    )  # fmt: skip


def _flat(data: Rows) -> Rows:
    return data[0].reshape(len(data[0]), -1), data[1]


def _data(name: str, train: int, validation: int) -> tuple[Rows, Rows]:
    """Some rows of a file as pixels in [0, 1] and classes, and others; the file may be in the order of its classes."""
    folder = Path(os.environ.get("SUKIMA_DATA", Path(__file__).parents[3] / "shared" / "data"))
    held = np.load(folder / f"{name}.npz")
    chosen = np.random.default_rng(0).permutation(len(held["y_train"]))[: train + validation]
    x, y = held["x_train"][chosen].astype("float32") / 255, held["y_train"][chosen]
    x = np.moveaxis(x, -1, 1) if x.ndim == 4 else x
    return (x[:train], y[:train].ravel().astype(int)), (x[train:], y[train:].ravel().astype(int))


def _cifar(channels_last: bool = False) -> Task:
    """Images in memory as torch's own loaders give them, or as they lie in the file, which torch convolves faster."""
    train, validation = _data("cifar10_subset", 1000, 500)
    if not channels_last:
        train, validation = ((np.ascontiguousarray(x), y) for x, y in (train, validation))
    return Task(model=cnn, train=train, validation=validation, metric="accuracy", batch_size=32, epochs=2)


CASES = [
    Case("8 of 64-256-128-10, digits, batch 32", _digits, 8, 6.0),
    Case("24 of 64-256-128-10, digits, batch 32", _digits, 24, 8.0),
    Case("8 of 784-512-256-128-10, MNIST, batch 32", _mnist, 8, 2.2),
    Case("8 of a small CNN, CIFAR-10 subset, batch 32", _cifar, 8, 1.12),
    Case("the same, images given channels last", partial(_cifar, channels_last=True), 8, 1.0),
]


def recipes(task: Task, count: int) -> list[Recipe]:
    """Candidates that differ in the rate at every dropout layer."""
    sites = [name for name, module in task.model().named_modules() if isinstance(module, nn.Dropout)]
    return [Recipe(rates=dict.fromkeys(sites, round(0.8 * (i + 1) / count, 3))) for i in range(count)]


def ours(task: Task, chosen: list[Recipe]) -> tuple[float, float]:
    """Seconds, and the mean validation loss at the end."""
    engine = LocalEngine(task, Silent())
    started = time.perf_counter()
    engine.prepare([(recipe, 0) for recipe in chosen])
    seconds = time.perf_counter() - started
    losses = [trial.history.validation_loss[-1] for trial in engine.trials.values()]
    if engine.why_not_stacked:
        print(f"  (not stacked: {engine.why_not_stacked})")
    return seconds, statistics.mean(losses)


def plain(task: Task, chosen: list[Recipe], threads: int) -> tuple[float, float]:
    """As `ours`, in plain torch."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        started = time.perf_counter()
        losses = [_train(task, recipe) for recipe in chosen]
        return time.perf_counter() - started, statistics.mean(losses)
    finally:
        torch.set_num_threads(before)


def _train(task: Task, recipe: Recipe) -> float:
    x, y = _tensors(task.train)
    validation = _tensors(task.validation)
    torch.manual_seed(0)
    model = task.model()
    for name, rate in recipe.rates.items():
        model.get_submodule(name).p = rate
    optimizer = torch.optim.Adam(model.parameters())
    loss_now = 0.0
    for _ in range(task.epochs):
        model.train()
        for chosen in torch.randperm(len(y)).split(task.batch_size):
            loss = functional.cross_entropy(model(x[chosen]), y[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        model.eval()
        _measure(model, (x, y))
        loss_now, _ = _measure(model, validation)
    return loss_now


def _tensors(data: object) -> tuple[Tensor, Tensor]:
    x, y = data  # type: ignore[misc]  # the tasks here have arrays
    return torch.as_tensor(x).float(), torch.as_tensor(y).long()


@torch.inference_mode()
def _measure(model: nn.Module, data: tuple[Tensor, Tensor]) -> tuple[float, float]:
    loss = right = 0.0
    rows = 1024 if data[0].ndim == 2 else 256
    for x, y in zip(data[0].split(rows), data[1].split(rows), strict=True):
        outputs = model(x)
        loss += float(functional.cross_entropy(outputs, y)) * len(y)
        right += int((outputs.argmax(1) == y).sum())
    return loss / len(data[1]), right / len(data[1])


def measure(case: Case, rounds: int) -> dict[str, object]:
    """The case's line of the table."""
    task = case.task()
    chosen = recipes(task, case.candidates)
    short = replace(task, epochs=1)
    every = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    ours(short, chosen[:2])  # compiled kernels are loaded
    times = {threads: plain(short, chosen[:2], threads)[0] for threads in {1, every}}
    best = min(times, key=times.__getitem__)
    pairs, losses = [], (0.0, 0.0)
    for _ in range(rounds):
        (mine, loss), (theirs, other) = ours(task, chosen), plain(task, chosen, best)
        pairs.append((mine, theirs))
        losses = loss, other
    mine, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratios = [b / a for a, b in pairs]
    fine = theirs / mine >= case.asked
    print(
        f"{'pass ' if fine else 'SHORT'}  {case.name}: {mine:.2f} s against {theirs:.2f} s ({best} threads): "
        f"{theirs / mine:.2f} x ({min(ratios):.2f} to {max(ratios):.2f}; asked: {case.asked}); "
        f"validation loss {losses[0]:.3f}, {losses[1]:.3f}",
        flush=True,
    )
    return {"case": case.name, "ours": mine, "plain": theirs, "threads": best, "asked": case.asked, "ratios": ratios}


def main() -> bool:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    lines = [measure(case, arguments.rounds) for case in CASES if arguments.only in case.name]
    if arguments.json:
        arguments.json.write_text(json.dumps(lines, indent=1) + "\n")
    return all(float(str(line["plain"])) >= float(str(line["asked"])) * float(str(line["ours"])) for line in lines)


if __name__ == "__main__":
    raise SystemExit(0 if main() else 1)
