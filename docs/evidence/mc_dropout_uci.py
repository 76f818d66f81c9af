"""MC dropout on UCI concrete, energy and yacht: test RMSE and log likelihood over the 20 published splits.

The set-up is that of Gal & Ghahramani 2016 (one hidden layer of 50 units, batch 128): rate and precision are chosen on
a fifth of each training split held out, then the network is trained again on the whole split. The network predicts
with the mean of many masked passes; its log likelihood is that of their mixture of normals with the precision chosen.

Usage: ``python docs/evidence/mc_dropout_uci.py concrete [splits [epochs]]``; the data are looked for at SUKIMA_DATA.
"""

from __future__ import annotations

import math
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

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


@dataclass(frozen=True)
class Score:
    """How good a prediction is, in the target's units."""

    rmse: float
    log_likelihood: float


def read(name: str) -> tuple[np.ndarray, np.ndarray, list[tuple[np.ndarray, np.ndarray]]]:
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


def train(x: Tensor, y: Tensor, rate: float, decay: float, epochs: int) -> nn.Module:
    """A network with dropout before each layer, L2 on its weights."""
    net = nn.Sequential(
        st.Dropout(rate), nn.Linear(x.shape[1], HIDDEN), nn.ReLU(), st.Dropout(rate), nn.Linear(HIDDEN, 1)
    )  # fmt: skip
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(BATCH):
            loss = nn.functional.mse_loss(net(x[rows]), y[rows]) + decay * sum(
                p.square().sum() for p in net.parameters()
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return net


def measure(net: nn.Module, x: Tensor, y: Tensor, mean: float, deviation: float, precision: float) -> Score:
    """RMSE of the mean prediction, log likelihood of the mixture."""
    samples = st.predict(net, x, SAMPLES, rows=200_000, keep_samples=True).samples
    assert samples is not None
    values = samples[..., 0].double() * deviation + mean
    error = values.mean(0) - y
    likelihood = (
        torch.logsumexp(-0.5 * precision * (y - values) ** 2, 0)
        - math.log(SAMPLES)
        + 0.5 * math.log(precision)
        - 0.5 * math.log(2 * math.pi)
    )
    return Score(float(error.square().mean().sqrt()), float(likelihood.mean()))


def fit_and_measure(
    x: np.ndarray, y: np.ndarray, inside: np.ndarray, outside: np.ndarray, rate: float, precision: float, epochs: int
) -> Score:
    """The score on ``outside`` of a network trained on ``inside``."""
    center, spread = x[inside].mean(0), x[inside].std(0)
    spread[spread == 0] = 1
    mean, deviation = y[inside].mean(), y[inside].std()
    inputs = torch.tensor((x - center) / spread, dtype=torch.float32)
    targets = torch.tensor((y - mean) / deviation, dtype=torch.float32)[:, None]
    decay = LENGTH_SCALE**2 * (1 - rate) / (2 * len(inside) * precision)
    net = train(inputs[inside], targets[inside], rate, decay, epochs)
    truth = torch.tensor(y[outside])
    return measure(net, inputs[outside], truth, mean, deviation, precision)


def split_score(name: str, number: int, epochs: int) -> Score:
    """Choose rate and precision on a fifth of the training split, then train on all of it."""
    x, y, splits = read(name)
    inside, outside = splits[number]
    torch.manual_seed(number)
    order = np.random.default_rng(number).permutation(inside)
    cut = len(order) * 4 // 5
    choices = [(rate, precision) for rate in RATES for precision in PRECISIONS[name]]
    held_out = [fit_and_measure(x, y, order[:cut], order[cut:], *choice, epochs).log_likelihood for choice in choices]
    return fit_and_measure(x, y, inside, outside, *choices[int(np.argmax(held_out))], epochs)


def main() -> None:
    """Every split of one data set, then the mean with its standard error beside the published one."""
    name = sys.argv[1] if len(sys.argv) > 1 else "yacht"
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    epochs = int(sys.argv[3]) if len(sys.argv) > 3 else EPOCHS
    torch.set_num_threads(1)
    scores = []
    for number in range(count):
        scores.append(split_score(name, number, epochs))
        print(
            f"{name} split {number}: RMSE {scores[-1].rmse:.3f}, log likelihood {scores[-1].log_likelihood:.3f}",
            flush=True,
        )
    for label, values, (published, error) in zip(
        ("RMSE", "log likelihood"),
        ([s.rmse for s in scores], [s.log_likelihood for s in scores]),
        PUBLISHED[name],
        strict=True,
    ):
        spread = np.std(values, ddof=1) / math.sqrt(count) if count > 1 else math.nan
        print(f"{name} {label}: {np.mean(values):.3f} ± {spread:.3f} (published {published:.3f} ± {error:.3f})")


if __name__ == "__main__":
    main()
