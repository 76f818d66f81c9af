"""What the learning rate explains: a kink, and why a curve became quiet."""

from __future__ import annotations

import numpy as np

from sukima.diagnosis.curves import Array

__all__ = ["drops", "rate_left"]

DROP = 0.5
"""Share of the learning rate before, at or below which an epoch counts as a drop; smooth schedules have none."""


def drops(rate: Array) -> list[int]:
    """Positions of the first points with a learning rate that was lowered to half or less at once."""
    if len(rate) < 2:
        return []
    return (np.flatnonzero((rate[1:] <= DROP * rate[:-1]) & (rate[:-1] > 0)) + 1).tolist()


def rate_left(rate: Array) -> float:
    """Share of the highest learning rate that is in force at the end; 1 where it is not known.

    A curve that is level at a hundredth of the learning rate says little of what the full rate would still do, and
    one that is level at the full rate may fall again when it is lowered.
    """
    highest = float(rate.max()) if len(rate) else 0.0
    return float(rate[-1]) / highest if highest > 0 else 1.0
