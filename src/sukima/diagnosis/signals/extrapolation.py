"""Where a curve would go if training went on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from sukima.diagnosis.curves import Array
from sukima.diagnosis.signals.noise import noise_level

__all__ = ["Extrapolation", "extrapolate"]

POWERS = (0.1, 0.25, 0.5, 1.0, 2.0)
RATES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
SURPRISE = 1.2
"""Standard deviation of what no shape foresees over three times the epochs, as a share of how far the curve moved in
its later half and is to move. Set so that the interval holds on real networks (``benchmarks/diagnose``)."""


@dataclass(frozen=True)
class Extrapolation:
    """What more epochs would give.

    Attributes:
        epochs: how many epochs more.
        gain: fall of the loss below its level now; negative where it would rise.
        error: standard deviation of that gain, from the spread of the shapes that fit and from the noise.
    """

    epochs: int
    gain: float
    error: float

    @property
    def interval(self) -> tuple[float, float]:
        """The gain with 95 % coverage, if the shapes that are tried include one like the truth."""
        return self.gain - 1.96 * self.error, self.gain + 1.96 * self.error


def extrapolate(curve: Array, epochs: int) -> Extrapolation:
    """Extend the curve by ``epochs`` points.

    Every shape of two families, ``a + b·t^-c`` and ``a + b·exp(-c·t/T)``, is fitted to the curve, alone and together
    with a slow rise ``d·log t`` such as overfitting brings, late points counting more; each is weighted by how well it
    fits (Akaike weights), and the forecast is their mixture (Domhan et al. 2015 average over such families too).
    One curve cannot tell its future from its past alone: to the spread of the mixture comes `SURPRISE`.
    """
    count = len(curve)
    if count < 4:
        return Extrapolation(epochs, 0.0, float("inf"))
    plans = _plans(count, epochs)
    noise = max(noise_level(curve), 1e-12 + 1e-6 * float(np.abs(curve).mean()))
    weighted = _weights(count) * curve
    found = [plan.solver @ weighted for plan in plans]
    misfits = np.array([float(np.sum((weighted - plan.design @ f) ** 2)) for plan, f in zip(plans, found, strict=True)])
    gains = np.array([float(f @ plan.step) for plan, f in zip(plans, found, strict=True)])
    # A slow term is there for rises only, and a loss above zero does not end below it.
    possible = np.array([len(f) < 3 or f[2] >= 0 for f in found]) & ((curve.min() < 0) | (gains < curve[-1]))
    if possible.any():
        misfits[~possible] = np.inf
    variance = max(float(misfits.min()) / max(1, count - 3), noise**2)
    score = misfits / (2 * variance) + np.array([len(plan.step) for plan in plans])
    share = np.exp(score.min() - score)
    share /= share.sum()
    gain = float(share @ gains)
    spread = float(share @ (gains - gain) ** 2 + share @ np.array([plan.error for plan in plans]) * variance)
    moved = abs(gain) + 2 * abs(float(curve[count // 2 : -(count // 4)].mean() - curve[-(count // 4) :].mean()))
    surprise = SURPRISE * moved * math.log1p(epochs / count) / math.log(3)
    return Extrapolation(epochs, gain, math.sqrt(spread + noise**2 / count + surprise**2))


class Plan(NamedTuple):
    """A shape over so many epochs: what can be computed before any curve is seen.

    Attributes:
        design: epoch × column.
        solver: from a weighted curve to the coefficients of the columns.
        step: how far each column falls from the end of the curve to the end of the forecast.
        error: variance of the gain, per variance of the noise.
    """

    design: Array
    solver: Array
    step: Array
    error: float


def _weights(count: int) -> Array:
    weights: Array = np.sqrt(np.arange(1, count + 1) / count)
    return weights


@lru_cache(maxsize=16)
def _plans(count: int, epochs: int) -> tuple[Plan, ...]:
    return tuple(_plan(columns, steps) for columns, steps in _shapes(count, epochs))


def _plan(columns: list[Array], steps: list[float]) -> Plan:
    design = np.stack([np.ones_like(columns[0]), *columns], axis=1) * _weights(len(columns[0]))[:, None]
    inverse = np.linalg.pinv(design.T @ design, hermitian=True)
    step = np.array([0.0, *steps])
    return Plan(design, inverse @ design.T, step, float(step @ inverse @ step))


def _shapes(count: int, epochs: int) -> Iterator[tuple[list[Array], list[float]]]:
    """The columns of each shape over the curve, and how far each falls from its end to the end of the forecast."""
    t = np.arange(1, count + 1, dtype=np.float64)
    later = float(count + epochs)
    rise, risen = np.log(t), -math.log(later / count)
    falls = [(t**-power, float(count) ** -power - later**-power) for power in POWERS]
    falls += [(np.exp(-rate * t / count), math.exp(-rate) - math.exp(-rate * later / count)) for rate in RATES]
    for fall, step in falls:
        yield [fall], [step]
        yield [fall, rise], [step, risen]
