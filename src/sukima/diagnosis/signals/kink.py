"""Sudden drops of the training curve, such as a lower learning rate causes."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from sukima.diagnosis.curves import Array

__all__ = ["kinks"]

SIDE = 10
"""Epochs on either side that say what is usual."""


def kinks(train: Array) -> list[int]:
    """Positions at which training fell far more in one epoch than in the epochs around it.

    The early fall of every run is no kink: a drop counts only where it is at least six times the typical change
    of the ten epochs on either side, and three times the largest of the four before it.
    """
    if len(train) < 12:
        return []
    fall = -np.diff(train)
    typical = np.median(np.abs(sliding_window_view(np.pad(fall, SIDE, mode="reflect"), 2 * SIDE + 1)), axis=1)
    before = np.full(len(fall), np.inf)
    before[4:] = np.abs(sliding_window_view(fall, 4)[:-1]).max(axis=1)
    return (np.flatnonzero((fall > 6 * typical) & (fall > 3 * before) & (fall > 0)) + 1).tolist()
