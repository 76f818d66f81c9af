"""What more epochs would give, from all that a run shows: its gain with an interval that was learned on real networks.

Shapes fitted to one curve cannot tell how wrong they are. So three straight formulas, for the gain and both ends of its
interval, weigh that extrapolation with the other features; ``benchmarks/diagnose/fit_forecast.py`` writes their
coefficients. The gain counts relative to the loss, bent like `asinh`, and grows with the logarithm of the time.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import msgspec
import numpy as np

from sukima.diagnosis.curves import Array, Curves
from sukima.diagnosis.features import features_of
from sukima.diagnosis.signals.gap import end_level
from sukima.diagnosis.signals.noise import noise_level

__all__ = [
    "FAR",
    "Forecast",
    "Formulas",
    "columns",
    "errors_of",
    "forecast",
    "level_of",
    "noise_now",
    "straightened",
    "unbent",
]

FAR = 4.0
"""Standard deviations at which a feature's influence ends: beyond, nothing was seen."""
FITTED_TO = 2.0
"""Times the epochs more that the formulas were fitted to at most."""
BEND = 5.0
LEAST_POINTS = 4


class Forecast(NamedTuple):
    """What more epochs would give.

    Attributes:
        epochs: how many epochs more.
        gain: fall of the validation curve below its level now; negative where it would rise.
        low: lower end of its 95 % interval.
        high: upper end.
    """

    epochs: int
    gain: float
    low: float
    high: float

    @property
    def interval(self) -> tuple[float, float]:
        """Both ends."""
        return self.low, self.high


class Formulas(msgspec.Struct, forbid_unknown_fields=True):
    """One of the two in the file, for losses and for error rates: features, and how they are weighed.

    The features' mean and standard deviation stand beside them. Each of ``low``, ``middle`` and ``high`` has a
    constant, a coefficient a feature, and one for the noise.
    """

    features: list[str]
    mean: list[float]
    deviation: list[float]
    low: list[float]
    middle: list[float]
    high: list[float]


def forecast(run: Curves, epochs: int) -> Forecast:
    """What that many epochs more would take off the validation loss, or off the error rate where there is no loss.

    Of fewer than four epochs nothing is known.
    """
    if len(run.validation) < LEAST_POINTS:
        return Forecast(epochs, 0.0, -math.inf, math.inf)
    formulas = _formulas()["loss" if run.is_loss else "error"]
    found = features_of(run)
    seen = straightened(np.array([found[name] for name in formulas.features]), formulas.mean, formulas.deviation)
    parts = (formulas.low, formulas.middle, formulas.high)

    def after(longer: float) -> list[float]:
        row = columns(seen, noise_now(run), longer)
        return sorted(level_of(run) * unbent(float(row @ part)) for part in parts)

    low, gain, high = after(epochs / run.epochs)
    if epochs > FITTED_TO * run.epochs:  # further than was ever seen, no more can be known than there
        nearer = after(FITTED_TO)
        low, high = min(low, nearer[0]), max(high, nearer[2])
    return Forecast(epochs, gain, low, high)


def errors_of(run: Curves) -> Curves:
    """The same run by its share of wrong answers instead of its loss."""
    return replace(run, train=1 - run.train_share, validation=1 - run.validation_share, is_loss=False)


def level_of(run: Curves) -> float:
    """What the gain is relative to; of an error rate at least half a percent."""
    return max(abs(end_level(run.validation)), 1e-9 if run.is_loss else 0.005)


def straightened(seen: Array, mean: list[float], deviation: list[float]) -> Array:
    """Features in standard deviations from their mean, bounded."""
    bounded: Array = np.clip((seen - np.asarray(mean)) / np.asarray(deviation), -FAR, FAR)
    return bounded


def columns(features: Array, noise: float, longer: float) -> Array:
    """What the formulas weigh: all but the noise grows with the logarithm of the time, 1 at three times the epochs."""
    growth = math.log1p(longer) / math.log(3)
    return np.array([growth, *(growth * features), noise])


def unbent(value: float) -> float:
    """The gain as a share of the loss; never more than all of it."""
    return min(1.0, math.sinh(min(max(value, -6.0), 6.0)) / BEND)


def noise_now(run: Curves) -> float:
    """The noise of the level now, relative to it."""
    width = max(1, len(run.validation) // 10)
    return min(0.3, noise_level(run.validation) / level_of(run)) / math.sqrt(width)


@cache
def _formulas() -> dict[str, Formulas]:
    return msgspec.json.decode(
        files("sukima.diagnosis").joinpath("forecast.json").read_bytes(), type=dict[str, Formulas]
    )
