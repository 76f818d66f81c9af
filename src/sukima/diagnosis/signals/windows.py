"""A curve by its means over a tenth of the run: what it ended with, and its best."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

import numpy as np

from sukima.diagnosis.curves import Array, Curves
from sukima.diagnosis.signals.onset import turn_of

__all__ = ["Windows", "best_epoch_of", "windows_of"]


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
    means = _means(curve, width)
    last = float(means[-1])
    return Windows(last - float(means.min()), float(means[len(means) // 2]) - last, _middle(means, width) / len(curve))


def best_epoch_of(runs: Sequence[Curves]) -> int:
    """The epoch (from 1) where validation was best, the median over the seeds.

    Of each run it is the median of three: the lowest point of the smoothed curve, and the middles of the lowest windows
    of a tenth and of 15 % of the run. Each is pulled elsewhere by noise and by a fall that is faster than the rise; the
    median lay nearer to where held-out loss was lowest than any of them (``benchmarks/diagnose``).
    """
    return round(median(int(run.epoch[_best_of(run.validation)]) for run in runs))


def _best_of(curve: Array) -> int:
    wide = min(len(curve), max(3, int(0.15 * len(curve))))
    found = (
        turn_of(curve).index + 1,
        windows_of(curve).at * len(curve),
        _middle(_means(curve, wide), wide),
    )
    return int(median(found) + 0.5) - 1


def _means(curve: Array, width: int) -> Array:
    return np.convolve(curve, np.full(width, 1 / width), "valid")


def _middle(means: Array, width: int) -> float:
    """The middle of the lowest window, counted from 1."""
    return int(means.argmin()) + (width + 1) / 2
