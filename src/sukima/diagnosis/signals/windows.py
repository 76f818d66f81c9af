"""A curve by its means over a tenth of the run: what it ended with, and its best."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sukima.diagnosis.curves import Array

__all__ = ["Windows", "windows_of"]


class Windows(NamedTuple):
    """The rise of the last window above the best, and where that lies.

    Attributes:
        rise: last mean less the lowest; 0 where the last is the lowest.
        fall: mean of the window in the middle of the run less the last.
        at: middle of the lowest window, as a share of the run.
    """

    rise: float
    fall: float
    at: float


def windows_of(curve: Array) -> Windows:
    """Means over a tenth of the epochs, at least one: no shape is assumed, and a jump of one epoch weighs little."""
    width = max(1, len(curve) // 10)
    means = np.convolve(curve, np.full(width, 1 / width), "valid")
    best = int(means.argmin())
    last = float(means[-1])
    return Windows(
        last - float(means[best]), float(means[len(means) // 2]) - last, (best + (width + 1) / 2) / len(curve)
    )
