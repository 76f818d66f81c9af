"""Sudden drops of the training curve, such as a lower learning rate causes."""

from __future__ import annotations

import numpy as np

from sukima.diagnosis.curves import Array

__all__ = ["kinks"]


def kinks(train: Array) -> list[int]:
    """Positions at which training fell far more in one epoch than in the epochs around it.

    The early fall of every run is no kink: a drop counts only where it is at least six times the typical change
    of the ten epochs on either side, and three times the largest of the four before it.
    """
    if len(train) < 12:
        return []
    fall = -np.diff(train)
    found: list[int] = []
    for i in range(4, len(fall) - 1):
        around = np.abs(np.concatenate((fall[max(0, i - 10) : i], fall[i + 1 : i + 11])))
        before = float(np.abs(fall[i - 4 : i]).max())
        if fall[i] > 6 * float(np.median(around)) and fall[i] > 3 * before and fall[i] > 0:
            found.append(i + 1)
    return found
