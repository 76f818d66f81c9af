"""A configuration, drawn from one number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ARCHITECTURES = {
    "digits": ("mlp", "mlp", "mlp", "cnn", "rnn", "transformer"),
    "mnist": ("mlp", "mlp", "mlp", "cnn"),
    "cifar": ("mlp", "mlp", "cnn"),
    "shakespeare": ("mlp", "mlp", "rnn", "transformer"),
    "concrete": ("mlp",),
    "energy": ("mlp",),
}
REGIMES = ("free", "free", "small", "regularized", "regularized", "slow", "fast", "large")
"""What the draw leans to; the truth is measured, whatever the regime."""


@dataclass(frozen=True)
class Configuration:
    """Everything that decides one training run."""

    number: int
    data: str
    wrong_labels: float
    architecture: str
    width: int
    depth: int
    rate: float
    weight_decay: float
    optimizer: str
    learning_rate: float
    drop_at: float
    """Share of the run after which the learning rate falls to a tenth; 1: never."""
    rows: int
    validation_rows: int
    batch: int
    epochs: int
    """E; the run is three times as long."""
    shorter: int
    running: bool
    """Whether the history has the running mean with dropout on as its training curve."""
    regime: str


def configuration(number: int) -> Configuration:
    """The configuration of that number."""
    rng = np.random.default_rng([2027, number])
    data = str(rng.choice(list(ARCHITECTURES), p=[0.28, 0.2, 0.14, 0.16, 0.12, 0.1]))
    regime = str(rng.choice(REGIMES))
    architecture = str(rng.choice(ARCHITECTURES[data]))
    adam = bool(rng.random() < 0.6)
    base = (0.003 if adam else 0.05) * (0.5 if architecture in ("rnn", "transformer") and adam else 1)
    pace = {"slow": (0.03, 0.3), "fast": (3, 300)}.get(regime, (0.15, 1.5))
    wide = {"small": (2, 6), "large": (48, 128)}.get(regime, (8, 64))
    rates = {"regularized": (0.2, 0.8), "small": (0.0, 0.6)}.get(regime, (0.0, 0.4))
    many = {"concrete": 400, "energy": 280, "digits": 900}.get(data, 1500)
    few = {"large": many // 2, "regularized": many // 3}.get(regime, 80)
    rows = _between(rng, few, many)
    epochs = int(np.exp(rng.uniform(np.log(12), np.log(40))))
    return Configuration(
        number=number,
        data=data,
        wrong_labels=float(rng.choice([0.0, 0.0, 0.1, 0.3])) if data in ("digits", "mnist", "cifar") else 0.0,
        architecture=architecture,
        width=min(_between(rng, *wide), {"mlp": 128, "cnn": 48}.get(architecture, 24)),
        depth=int(rng.integers(1, 3)),
        rate=round(float(rng.uniform(*rates)), 2) if rng.random() < 0.75 else 0.0,
        weight_decay=_log(rng, 1e-2, 3e-1) if regime == "regularized" and rng.random() < 0.5 else 0.0,
        optimizer="adam" if adam else "momentum",
        learning_rate=base * _log(rng, *pace),
        drop_at=float(rng.uniform(0.1, 0.3)) if rng.random() < 0.4 else 1.0,
        rows=rows,
        validation_rows=_between(rng, 200, 350 if data in ("digits", "concrete", "energy") else 600)
        // (2 if data in ("concrete", "energy") else 1),
        # Few steps an epoch, fewest where a step is dear: there are 1,600 of these to train.
        batch=max(int(rng.choice([16, 32, 64])), rows // (30 if architecture == "mlp" else 10)),
        epochs=epochs,
        shorter=int(rng.integers(max(8, epochs // 2), epochs)),
        running=bool(rng.random() < 0.5),
        regime=regime,
    )


def _log(rng: np.random.Generator, low: float, high: float) -> float:
    return float(f"{np.exp(rng.uniform(np.log(low), np.log(high))):.3g}")


def _between(rng: np.random.Generator, low: int, high: int) -> int:
    return round(float(np.exp(rng.uniform(np.log(low), np.log(high)))))
