"""Dropout before and after batch normalisation, and with its statistics computed again (Li et al. 2019).

784 → 4 × (256, BN, ReLU) → 10 on 5,000 images of MNIST. In training, dropout before a batch norm raises the variance
that it sees; at inference the variance is lower, and its running statistics do not fit. They can be computed again in
inference mode, which this script does on the training data after training.

    python docs/evidence/batch_norm.py [epochs [seeds]]
"""

from __future__ import annotations

import sys

import torch
from cached import cached
from common import interval, mnist_task, publish, spread
from torch import nn

from sukima.comparison.statistics import paired_difference
from sukima.engines.torch.fit import fit
from sukima.records.recipe import Recipe
from sukima.records.task import Task

DEPTH, RATE = 4, 0.5
BEFORE = {f"{3 * k + 2}": RATE for k in range(DEPTH - 1)}  # after a ReLU, so before the next batch norm
LAST = {f"{3 * DEPTH - 1}": RATE}
ARMS = {"none": {"*": 0.0}, "after the last BN": LAST, "before every later BN": BEFORE}


def model() -> nn.Module:
    """Dense → BN → ReLU, four times."""
    layers: list[nn.Module] = []
    for k in range(DEPTH):
        layers += [nn.Linear(784 if k == 0 else 256, 256), nn.BatchNorm1d(256), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(256, 10))


def scores(net: nn.Module, task: Task) -> tuple[float, float]:
    """Test loss and error in percent."""
    x, y = (torch.as_tensor(part) for part in task.test)
    with torch.no_grad():
        outputs = net.eval()(x)
    return float(nn.functional.cross_entropy(outputs, y)), 100 * float((outputs.argmax(1) != y).float().mean())


def recompute(net: nn.Module, task: Task) -> None:
    """Running statistics of batch norm again, from the training data, with dropout off."""
    norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm1d)]
    net.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a cumulative mean
        norm.train()
    with torch.no_grad():
        for rows in torch.as_tensor(task.train[0]).split(128):
            net(rows)
    net.eval()


def run(task: Task, rates: dict[str, float], seed: int) -> dict[str, list[float]]:
    """Scores as trained, and with statistics computed again."""
    net = fit(task, Recipe(rates=rates), seed).model
    as_trained = scores(net, task)
    recompute(net, task)
    return {"as trained": list(as_trained), "statistics again": list(scores(net, task))}


def main() -> None:
    """Train, compare, write."""
    epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    task = mnist_task(model, 5_000, epochs=epochs)
    lines = [
        f"{epochs} epochs, {seeds} seeds, rate {RATE}.", "",
        "| dropout | statistics | test loss | test error % | gain in loss over none [95 % interval] | |",
        "|---|---|---|---|---|---|",
    ]  # fmt: skip
    losses: dict[tuple[str, str], list[float]] = {}
    for name, rates in ARMS.items():
        runs = [
            cached("batch_norm", [name, seed, epochs], lambda r=rates, s=seed: run(task, r, s)) for seed in range(seeds)
        ]
        for how in ("as trained", "statistics again"):
            losses[name, how] = [one[how][0] for one in runs]
            gain = paired_difference(losses["none", "as trained"], losses[name, how])
            shown = f"{interval(gain)} | {gain.outcome}" if (name, how) != ("none", "as trained") else "|"
            errors = spread([one[how][1] for one in runs], 2)
            lines.append(f"| {name} | {how} | {spread(losses[name, how])} | {errors} | {shown} |")
    mended = paired_difference(
        losses["before every later BN", "as trained"], losses["before every later BN", "statistics again"]
    )
    lines += [
        "",
        f"Computing them again where dropout stands before batch norm gains {interval(mended)}, {mended.outcome}.",
    ]
    publish("batch_norm", "\n".join(lines))


if __name__ == "__main__":
    main()
