"""A curve by its means over a tenth of the run: what it ended with, and its best."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

import numpy as np

from sukima.diagnosis.curves import Array, Curves

__all__ = ["Windows", "best_epoch_of", "windows_of"]


class Windows(NamedTuple):
    """The rise of the last window above the best, and where that lies.

    Attributes:
        rise: last mean less the lowest; 0 where the last is the lowest.
        fall: mean of the window in the middle of the run less the last.
        at: middle of the lowest window, as a share of the run.
        best: position of that middle.
    """

    rise: float
    fall: float
    at: float
    best: int


def windows_of(curve: Array) -> Windows:
    """Means over a tenth of the epochs, at least one: no shape is assumed, and a jump of one epoch weighs little.

    The middle of the lowest window is nearer to where held-out loss is lowest than the lowest point of a smoothed curve
    (``benchmarks/diagnose``): a curve that falls fast and rises slowly pulls that point to its later side.
    """
    width = max(1, len(curve) // 10)
    means = np.convolve(curve, np.full(width, 1 / width), "valid")
    first = int(means.argmin())
    last = float(means[-1])
    return Windows(
        last - float(means[first]),
        float(means[len(means) // 2]) - last,
        (first + (width + 1) / 2) / len(curve),
        first + (width - 1) // 2,
    )


def best_epoch_of(runs: Sequence[Curves]) -> int:
    """The epoch (from 1) in the middle of the lowest window of validation, the median over the seeds."""
    return round(median(int(run.epoch[windows_of(run.validation).best]) for run in runs))
