"""How much a curve jumps from epoch to epoch."""

from __future__ import annotations

import numpy as np

from sukima.diagnosis.curves import Array

__all__ = ["noise_level", "quieting"]


def noise_level(curve: Array) -> float:
    """Standard deviation of one epoch's noise, robustly, from second differences; 0 with fewer than four epochs.

    A second difference removes level and slope, so that neither the fall of training nor its end counts as noise.
    The later half is looked at where it is long enough: early epochs bend.
    """
    tail = curve[len(curve) // 2 :] if len(curve) >= 16 else curve
    if len(tail) < 4:
        return 0.0
    second = np.diff(tail, 2)
    return float(1.4826 * np.median(np.abs(second)) / np.sqrt(6))


def quieting(curve: Array) -> float:
    """How much quieter the last third of the curve is than the rest, as a logarithm; 0 with fewer than nine epochs.

    A lower learning rate shows in this even where it makes no kink: the weights stop jumping about. Training that
    has become quiet and slow will not become fast again.
    """
    second = np.abs(np.diff(curve, 2))
    third = len(second) // 3
    if third < 3:
        return 0.0
    early, late = float(np.median(second[:-third])), float(np.median(second[-third:]))
    return float(np.log((early + 1e-9) / (late + 1e-9)))
