"""Fit the forecast: ``python fit_forecast.py RUNS.jsonl [MORE.jsonl]`` writes ``forecast.json`` into the package.

Quantile regressions of the gain in held-out loss after a quarter, a half, one and two times the epochs more, and of the
gain in validation error rate, on the histories that may be fitted on; every run counts once, at a length and a horizon
drawn at random.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
from histories import Example, examples
from sklearn.linear_model import QuantileRegressor

from sukima.diagnosis.curves import Curves, curves_of
from sukima.diagnosis.features import features_of
from sukima.diagnosis.forecast import BEND, Formulas, columns, errors_of, noise_now, straightened

NAMES = (
    *("forecast", "forecast_error", "gain_later", "gain_last", "train_forecast", "train_gain_last", "rise", "turn_at"),
    *(
        "noise",
        "gap",
        "gap_widens",
        "half_fall",
        "quarter_fall",
        "newest",
        "train_newest",
        "train_half_fall",
        "quieting",
    ),
    *("train_quieting", "rise_sigmas", "gain_last_sigmas", "fall", "epochs"),
    *("tripled_next", "forecast_0.6", "forecast_0.35", "follows_0.5", "window_rise"),
)
"""Of the features those that a straight line can use; the regressions shrink what does not help."""
LONGER = (0.25, 0.5, 1.0, 2.0)
QUANTILES = (0.025, 0.5, 0.975)
SHRINK = 1e-4
HOME = Path(__file__).parents[2] / "src/sukima/diagnosis/forecast.json"


@dataclass
class Seen:
    """What a regression learns from: features, noise, how much longer, and the gain."""

    features: list[list[float]] = field(default_factory=list)
    noises: list[float] = field(default_factory=list)
    longers: list[float] = field(default_factory=list)
    gains: list[float] = field(default_factory=list)

    def add(self, run: Curves, longer: float, gain: float) -> None:
        """Take a run and what so many times its epochs more gained."""
        found = features_of(run)
        self.features.append([found[name] for name in NAMES])
        self.noises.append(noise_now(run))
        self.longers.append(longer)
        self.gains.append(gain)


def gain_of(curve: np.ndarray, epochs: int, longer: float, least: float) -> float | None:
    """Share of the level that so many times the epochs more took off; ``None`` where the curve is too short."""
    last = epochs + round(longer * epochs)
    width = max(1, epochs // 10)
    level = float(curve[epochs - width : epochs].mean())
    if len(curve) < last or last == epochs or level <= 0:
        return None
    return (level - float(curve[last - width : last].mean())) / max(level, least)


def fitted(seen: Seen) -> Formulas:
    table = np.array(seen.features)
    mean, deviation = np.round(table.mean(0), 4).tolist(), np.round(table.std(0) + 1e-4, 4).tolist()
    straight = straightened(table, mean, deviation)
    rows = np.array([columns(*row) for row in zip(straight, seen.noises, seen.longers, strict=True)])
    bent = np.arcsinh(BEND * np.clip(seen.gains, -20, 1))
    low, middle, high = (
        QuantileRegressor(quantile=quantile, alpha=SHRINK, fit_intercept=False, solver="highs").fit(rows, bent).coef_
        for quantile in QUANTILES
    )
    print(f"{len(bent)} runs; inside of the interval {np.mean((bent >= rows @ low) & (bent <= rows @ high)):.3f}")
    return Formulas(list(NAMES), mean, deviation, *(np.round(part, 4).tolist() for part in (low, middle, high)))


def main(paths: list[Path]) -> None:
    rng = np.random.default_rng(0)
    by_run: dict[int, list[Example]] = {}
    for path in paths:
        for example in examples(path):
            if not example.reported and example.truth != "diverged" and example.history.train_loss:
                by_run.setdefault(example.number, []).append(example)
    losses, errors = Seen(), Seen()
    for choices in by_run.values():
        example, longer = choices[rng.integers(len(choices))], float(rng.choice(LONGER))
        run = curves_of(example.history)
        gain = gain_of(np.array(example.held_out), run.epochs, longer, 1e-9)
        if gain is not None:
            losses.add(run, longer, gain)
        # Of accuracies only those of the run's own epochs are kept: its beginnings are asked for what came then.
        if len(run.validation_share):
            whole = max((one.history for one in choices if one.history.train_metric), key=lambda one: one.epochs)
            later = 1 - np.array(whole.validation_metric)
            longer = (len(later) - run.epochs) / run.epochs
            gain = gain_of(later, run.epochs, longer, 0.005)
            if gain is not None:
                errors.add(errors_of(run), longer, gain)
    HOME.write_bytes(msgspec.json.encode({"loss": fitted(losses), "error": fitted(errors)}) + b"\n")


if __name__ == "__main__":
    main([Path(path) for path in sys.argv[1:]])
