"""What tripling the time has brought so far, and what it would bring again."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sukima.diagnosis.curves import Array

__all__ = ["Tripling", "tripling"]

STEADY = 1e-3
"""Share of the level that an earlier fall is taken for at least, so that the ratio of two falls stays finite."""


class Tripling(NamedTuple):
    """Falls of a smoothed curve.

    Attributes:
        last: from a third of the run to its end.
        before: from a ninth to a third.
        next: from the end to three times the run, if each tripling brings as large a share of the one before.
    """

    last: float
    before: float
    next: float


def tripling(smoothed: Array, level: float) -> Tripling:
    """The falls of a smoothed curve that ends at ``level``; a power law has the same ratio of falls for ever."""
    at = np.array([1 / 9, 1 / 3]) * (len(smoothed) - 1)
    ninth, third = np.interp(at, np.arange(len(smoothed)), smoothed)
    last, before = float(third - smoothed[-1]), float(ninth - third)
    ahead = last if last <= 0 else min(last * last / max(before, STEADY * level), level)
    return Tripling(last, before, ahead)
