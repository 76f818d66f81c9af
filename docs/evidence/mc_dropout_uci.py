"""MC dropout on UCI concrete, energy and yacht: test RMSE and log likelihood over the 20 published splits.

The set-up is that of Gal & Ghahramani 2016 (one hidden layer of 50 units, batch 128): rate and precision are chosen on
a fifth of each training split held out, then the network is trained again on the whole split. The network predicts
with the mean of many masked passes; its log likelihood is that of their mixture of normals with the precision chosen.

All networks of a stage (20 splits times 12 choices, then 20) are trained as one stack, each with masks and an order of
data of its own, so that the whole table takes minutes.

Usage: ``python docs/evidence/mc_dropout_uci.py [concrete energy yacht] [--epochs N]``; the data are looked for at
SUKIMA_DATA. A data set that mc_dropout_uci.json has already is not computed again.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

import sukima.torch as st

RATES = (0.005, 0.01, 0.05, 0.1)
PRECISIONS = {
    "concrete": (0.025, 0.05, 0.075), "energy": (0.25, 0.5, 0.75), "yacht": (0.25, 0.5, 0.75),
}  # fmt: skip
PUBLISHED = {
    "concrete": ((4.826, 0.161), (-2.937, 0.025)),
    "energy": ((0.539, 0.014), (-1.212, 0.005)),
    "yacht": ((0.666, 0.049), (-1.250, 0.015)),
}
HIDDEN, BATCH, EPOCHS, SAMPLES, LENGTH_SCALE = 50, 128, 4000, 1000, 1e-2


RESULT = Path(__file__).with_suffix(".json")
Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Fit:
    """One network of a stack: its data, and what was chosen for it."""

    inside: Array
    outside: Array
    rate: float
    precision: float


@dataclass(frozen=True)
class Scores:
    """How good the predictions of a stack are, in the target's units, one entry a network."""

    rmse: Array
    log_likelihood: Array


def read(name: str) -> tuple[Array, Array, list[tuple[Array, Array]]]:
    """Inputs, targets, and the published splits as index arrays (training, test)."""
    default = Path(__file__).parents[3] / "shared" / "data"
    folder = Path(os.environ.get("SUKIMA_DATA", default)) / "uci" / name
    inner = folder / "data" if (folder / "data").is_dir() else folder
    table = np.loadtxt(inner / "data.txt")
    features = np.loadtxt(inner / "index_features.txt").astype(int)
    target = int(np.loadtxt(inner / "index_target.txt"))
    splits = [
        tuple(np.loadtxt(inner / f"index_{part}_{i}.txt").astype(int) for part in ("train", "test")) for i in range(20)
    ]
    return table[:, features], table[:, target], splits


class Stack:
    """Networks of one hidden layer, dropout before each layer, side by side."""

    def __init__(self, features: int, rates: Tensor, generator: torch.Generator) -> None:
        def uniform(*shape: int, fan: int) -> Tensor:
            values = torch.rand(len(rates), *shape, generator=generator)
            return ((2 * values - 1) / math.sqrt(fan)).requires_grad_()

        self.rates = rates
        self.parameters = [
            uniform(features, HIDDEN, fan=features), uniform(1, HIDDEN, fan=features),
            uniform(HIDDEN, 1, fan=HIDDEN), uniform(1, 1, fan=HIDDEN),
        ]  # fmt: skip
        self.drop = torch.vmap(st.dropout, randomness="different")

    def __call__(self, x: Tensor) -> Tensor:
        """Predictions (networks, rows) for inputs (networks, rows, features), each through a mask of its own."""
        weight, bias, last, shift = self.parameters
        hidden = torch.baddbmm(bias, self.drop(x, self.rates), weight).relu()
        return torch.baddbmm(shift, self.drop(hidden, self.rates), last)[..., 0]


def train(stack: Stack, x: Tensor, y: Tensor, decay: Tensor, epochs: int, generator: torch.Generator) -> None:
    """Squared error plus L2 on the weights, by Adam; every network sees its rows in an order of its own."""
    optimizer = torch.optim.Adam(stack.parameters, 1e-3)
    which = torch.arange(len(x))[:, None]
    for _ in range(epochs):
        order = torch.rand(x.shape[:2], generator=generator).argsort(1)
        for rows in order.split(BATCH, 1):
            error = (stack(x[which, rows]) - y[which, rows]).square().mean(1)
            weights = torch.stack([p.square().flatten(1).sum(1) for p in stack.parameters]).sum(0)
            optimizer.zero_grad()
            (error + decay * weights).sum().backward()
            optimizer.step()


def fit_and_measure(x: Array, y: Array, fits: list[Fit], epochs: int, seed: int) -> Scores:
    """The scores on what is outside, of networks trained on what is inside."""
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    center = np.stack([x[fit.inside].mean(0) for fit in fits])[:, None]
    spread = np.stack([x[fit.inside].std(0) for fit in fits])[:, None]
    spread[spread == 0] = 1
    mean = np.array([[y[fit.inside].mean()] for fit in fits])
    deviation = np.array([[y[fit.inside].std()] for fit in fits])

    def inputs(rows: list[Array]) -> Tensor:
        return torch.tensor((x[np.stack(rows)] - center) / spread, dtype=torch.float32)

    inside = [fit.inside for fit in fits]
    targets = torch.tensor((y[np.stack(inside)] - mean) / deviation, dtype=torch.float32)
    rates = torch.tensor([fit.rate for fit in fits])
    precision = torch.tensor([fit.precision for fit in fits])
    decay = LENGTH_SCALE**2 * (1 - rates) / (2 * len(inside[0]) * precision)
    stack = Stack(x.shape[1], rates, generator)
    train(stack, inputs(inside), targets, decay, epochs, generator)
    outside = [fit.outside for fit in fits]
    return measure(stack, inputs(outside), torch.tensor(y[np.stack(outside)]), mean, deviation, precision.double())


@torch.no_grad()
def measure(stack: Stack, x: Tensor, y: Tensor, mean: Array, deviation: Array, precision: Tensor) -> Scores:
    """RMSE of the mean prediction, log likelihood of the mixture."""
    total, mixture = torch.zeros_like(y), torch.full_like(y, -math.inf)
    together = 10
    for _ in range(SAMPLES // together):
        passes = stack(x.repeat(1, together, 1)).view(len(x), together, -1).double()
        values = passes * torch.from_numpy(deviation)[..., None] + torch.from_numpy(mean)[..., None]
        total += values.sum(1)
        close = -0.5 * precision[:, None, None] * (y[:, None] - values) ** 2
        mixture = torch.logaddexp(mixture, torch.logsumexp(close, 1))
    likelihood = mixture - math.log(SAMPLES) + 0.5 * (precision.log() - math.log(2 * math.pi))[:, None]
    rmse = (total / SAMPLES - y).square().mean(1).sqrt()
    return Scores(rmse.numpy(), likelihood.mean(1).numpy())


def held_out(splits: list[tuple[Array, Array]], choices: list[tuple[float, float]]) -> list[Fit]:
    """Every choice on every training split, a fifth of which is held out."""
    fits = []
    for number, (inside, _) in enumerate(splits):
        order = np.random.default_rng(number).permutation(inside)
        cut = len(order) * 4 // 5
        fits += [Fit(order[:cut], order[cut:], *choice) for choice in choices]
    return fits


def table(name: str, epochs: int) -> dict[str, object]:
    """The scores of one data set, with what was chosen for each split."""
    began = time.perf_counter()
    x, y, splits = read(name)
    choices = [(rate, precision) for rate in RATES for precision in PRECISIONS[name]]
    found = fit_and_measure(x, y, held_out(splits, choices), epochs, seed=1).log_likelihood
    best = found.reshape(len(splits), len(choices)).argmax(1)
    scores = fit_and_measure(x, y, [Fit(*split, *choices[b]) for split, b in zip(splits, best, strict=True)], epochs, 2)
    return {
        "epochs": epochs, "samples": SAMPLES, "torch": torch.__version__, "minutes": (time.perf_counter() - began) / 60,
        "chosen": [choices[b] for b in best], "rmse": scores.rmse.tolist(),
        "log likelihood": scores.log_likelihood.tolist(),
    }  # fmt: skip


def show(name: str, values: list[float], label: str, published: tuple[float, float]) -> None:
    """One line of the table."""
    error = np.std(values, ddof=1) / math.sqrt(len(values))
    away = (np.mean(values) - published[0]) / math.hypot(error, published[1])
    print(
        f"{name:9} {label:15} {np.mean(values):7.3f} ± {error:.3f}   published {published[0]:7.3f} ± {published[1]:.3f}"
        f"   apart by {away:+.1f} standard errors"
    )


def main() -> None:
    """Compute what is missing, then print mean and standard error over the splits beside the published ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(PUBLISHED))
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    options = parser.parse_args()
    done = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    for name in options.names:
        if name not in done or done[name]["epochs"] != options.epochs:
            done[name] = table(name, options.epochs)
            RESULT.write_text(json.dumps(done, indent=1) + "\n")
        for label, published in zip(("rmse", "log likelihood"), PUBLISHED[name], strict=True):
            show(name, done[name][label], label, published)


if __name__ == "__main__":
    main()
