"""How fast a curve still moves at its end."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from sukima.diagnosis.curves import Array
from sukima.diagnosis.signals.noise import noise_level

__all__ = ["Trend", "end_trend"]


class Trend(NamedTuple):
    """Change of a curve per factor *e* of training time, and its standard error; negative where the loss falls."""

    slope: float
    error: float

    @property
    def sigmas(self) -> float:
        """The fall in units of its standard error, in [-100, 100]; positive where the loss falls."""
        if self.error > 0:
            return max(-100.0, min(100.0, -self.slope / self.error))
        return -100.0 * math.copysign(1, self.slope) if self.slope else 0.0

    def gain(self, factor: float) -> float:
        """What training ``factor`` times as long would take off the loss if the trend went on."""
        return -self.slope * math.log(factor)


def end_trend(curve: Array, share: float = 0.5) -> Trend:
    """The trend over the last ``share`` of the run against the logarithm of the epoch.

    Learning curves are much straighter against the logarithm of time than against time.
    """
    count = max(3, round(len(curve) * share))
    if len(curve) < 3:
        return Trend(0.0, 0.0)
    tail = curve[-count:]
    x = np.log(np.arange(len(curve) - len(tail), len(curve)) + 1.0)
    x -= x.mean()
    spread = float(x @ x)
    return Trend(float(x @ (tail - tail.mean())) / spread, noise_level(curve) / math.sqrt(spread))
