"""A curve without its epoch-to-epoch noise, and how far each smoothed point can be trusted."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sukima.diagnosis.curves import Array
from sukima.diagnosis.signals.noise import noise_level

__all__ = ["despiked", "leverage", "smooth"]

Places = NDArray[np.int64]


def smooth(curve: Array, share: float = 0.15) -> Array:
    """Local linear fit over a window that grows with the epoch: ``share`` of it to either side, at least one epoch.

    Learning curves bend sharply at first and slowly later, so that a window in proportion to the epoch loses no
    shape. The straight line in it (not a mean) keeps the ends unbiased.
    """
    if len(curve) < 3:
        return curve
    curve = despiked(curve)
    first, last = _windows(len(curve), share)
    x = np.arange(len(curve), dtype=np.float64)
    n, sx, sxx, sy, sxy = (
        _sums(v, first, last) for v in (np.ones_like(x), x, x * x, curve - curve[-1], x * (curve - curve[-1]))
    )
    mean_x, mean_y = sx / n, sy / n
    spread = sxx - n * mean_x**2
    slope = (sxy - n * mean_x * mean_y) / spread
    fitted: Array = mean_y + slope * (x - mean_x) + curve[-1]
    return fitted


def despiked(curve: Array) -> Array:
    """The curve with every epoch that jumps out alone, by five noise levels, put back between its neighbours."""
    middle = np.median(np.stack([curve[:-2], curve[1:-1], curve[2:]]), axis=0)
    jumps = np.abs(curve[1:-1] - middle) > 5 * noise_level(curve)
    result = curve.copy()
    result[1:-1][jumps] = middle[jumps]
    return result


@lru_cache(maxsize=64)
def leverage(count: int, share: float = 0.15) -> Array:
    """Variance of each point of `smooth`, in units of the variance of one epoch's noise."""
    if count < 3:
        return np.ones(count)
    first, last = _windows(count, share)
    x = np.arange(count, dtype=np.float64)
    n, sx, sxx = (_sums(v, first, last) for v in (np.ones_like(x), x, x * x))
    values: Array = 1 / n + (x - sx / n) ** 2 / (sxx - sx**2 / n)
    return values


@lru_cache(maxsize=64)
def _windows(count: int, share: float) -> tuple[Places, Places]:
    at = np.arange(count)
    half = np.maximum(1, (share * (at + 1)).astype(np.int64))
    # Two points at an end would give a line through the noise; three is the least that smooths.
    first = np.clip(at - half, 0, count - 3)
    last = np.clip(at + half, 2, count - 1)
    return first.astype(np.int64), (last + 1).astype(np.int64)


def _sums(values: Array, first: Places, last: Places) -> Array:
    total = np.concatenate(([0.0], np.cumsum(values)))
    sums: Array = total[last] - total[first]
    return sums
