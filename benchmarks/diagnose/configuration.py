"""A configuration, drawn from one number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ARCHITECTURES = {
    "digits": ("cnn", "rnn", "transformer"),
    "mnist": ("cnn",),
    "cifar": ("cnn",),
    "shakespeare": ("rnn", "transformer"),
    "concrete": ("mlp",),
    "energy": ("mlp",),
}
"""Beside an MLP, which is what four fifths are."""
GROUP = 16
REGIMES = ("free", "free", "small", "regularized", "regularized", "slow", "fast", "large")
"""What the draw leans to; the truth is measured, whatever the regime."""
FITTED = 16_000
"""Numbers from here on are networks that only ever help to fit the verdict; nothing is reported on them."""
LONG = 32_000
"""Numbers from here on are longer runs; as below `FITTED`, groups with odd numbers are only reported on."""
SHORT_EPOCHS, LONG_EPOCHS = (12, 32), (32, 96)


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

    @property
    def lengths(self) -> tuple[int, ...]:
        """Epochs of its histories: E and a shorter beginning; of a network that is only fitted on, four of these."""
        if reported(self.number) or self.number < FITTED:
            return self.epochs, self.shorter
        rng = np.random.default_rng([2032, self.number])
        least = max(8, self.epochs // 2)
        others = np.setdiff1d(np.arange(least, self.epochs), [self.shorter])
        chosen = rng.choice(others, min(3, len(others)), replace=False)
        return (self.epochs, self.shorter, *sorted(map(int, chosen)))


def reported(number: int) -> bool:
    """Whether the network of that number may only be reported on."""
    return (number < FITTED or number >= LONG) and number // GROUP % 2 == 1


def configuration(number: int) -> Configuration:
    """The configuration of that number; sixteen in a row share what lets them be trained side by side."""
    shared, own = np.random.default_rng([2030, number // GROUP]), np.random.default_rng([2031, number])
    data = str(shared.choice(list(ARCHITECTURES), p=[0.28, 0.2, 0.14, 0.14, 0.14, 0.1]))
    architecture = "mlp" if shared.random() < 0.8 else str(shared.choice(ARCHITECTURES[data]))
    adam = bool(shared.random() < 0.6)
    most = {"concrete": 400, "energy": 280, "digits": 700}.get(data, 700)
    rows = _between(shared, 80, most if architecture == "mlp" else 300)
    epochs = int(np.exp(shared.uniform(*np.log(LONG_EPOCHS if number >= LONG else SHORT_EPOCHS))))
    regime = str(own.choice(REGIMES))
    base = (0.003 if adam else 0.05) * (0.5 if architecture in ("rnn", "transformer") and adam else 1)
    pace = {"slow": (0.03, 0.3), "fast": (3, 300)}.get(regime, (0.15, 1.5))
    wide = {"small": (2, 6), "large": (48, 128)}.get(regime, (8, 64))
    rates = {"regularized": (0.2, 0.8), "small": (0.0, 0.6)}.get(regime, (0.0, 0.4))
    return Configuration(
        number=number,
        data=data,
        wrong_labels=float(own.choice([0.0, 0.0, 0.1, 0.3])) if data in ("digits", "mnist", "cifar") else 0.0,
        architecture=architecture,
        width=min(_between(own, *wide), {"mlp": 128, "cnn": 48}.get(architecture, 24)),
        depth=int(shared.integers(1, 3)),
        rate=round(float(own.uniform(*rates)), 2) if own.random() < 0.75 else 0.0,
        weight_decay=_log(own, 1e-2, 3e-1) if regime == "regularized" and own.random() < 0.5 else 0.0,
        optimizer="adam" if adam else "momentum",
        learning_rate=base * _log(own, *pace),
        drop_at=float(own.uniform(0.1, 0.3)) if own.random() < 0.4 else 1.0,
        rows=rows,
        validation_rows=int(shared.integers(200, 350 if data == "digits" else 600)),
        # Few steps an epoch, fewest where a step is dear: there are 1,600 of these to train.
        batch=max(int(shared.choice([16, 32, 64])), rows // (30 if architecture == "mlp" else 10)),
        epochs=epochs,
        shorter=int(own.integers(max(8, epochs // 2), epochs)),
        running=bool(own.random() < 0.5),
        regime=regime,
    )


def _log(rng: np.random.Generator, low: float, high: float) -> float:
    return float(f"{np.exp(rng.uniform(np.log(low), np.log(high))):.3g}")


def _between(rng: np.random.Generator, low: int, high: int) -> int:
    return round(float(np.exp(rng.uniform(np.log(low), np.log(high)))))
