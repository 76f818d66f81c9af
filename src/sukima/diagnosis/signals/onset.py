"""Where the validation loss turned up, and whether the rise since is more than noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sukima.diagnosis.curves import Array
from sukima.diagnosis.signals.noise import noise_level
from sukima.diagnosis.signals.smoothing import leverage, smooth

__all__ = ["Turn", "turn_of"]


@dataclass(frozen=True)
class Turn:
    """The turn of a validation curve.

    Attributes:
        index: position of the lowest point of the smoothed curve.
        rise: smoothed end minus smoothed lowest point; 0 where the curve still falls.
        error: standard error of that rise.
        best: the smoothed loss at the lowest point.
    """

    index: int
    rise: float
    error: float
    best: float

    @property
    def sigmas(self) -> float:
        """The rise in units of its standard error, at most 100."""
        return min(100.0, self.rise / self.error) if self.error > 0 else 100.0 * (self.rise > 0)


def turn_of(validation: Array) -> Turn:
    """The minimum of the smoothed curve, not of the raw one, whose place and depth are half noise."""
    smoothed = smooth(validation)
    index = int(np.argmin(smoothed))
    weights = leverage(len(validation))
    error = noise_level(validation) * float(np.sqrt(weights[index] + weights[-1]))
    return Turn(index, float(smoothed[-1] - smoothed[index]), error, float(smoothed[index]))
