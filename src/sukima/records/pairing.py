"""Paired gains: two recipes trained with the same seeds, compared seed by seed."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sukima.base.errors import InputError

__all__ = ["gain_and_noise", "paired_gains"]


def paired_gains(baseline: Sequence[float], arm: Sequence[float], *, increases: bool) -> NDArray[np.float64]:
    """Gain of ``arm`` over ``baseline``, pair by pair; positive is better.

    A value that is not finite stands for a run that diverged: it loses without bound against one that did not, and is
    equal to another that did.
    """
    if len(baseline) != len(arm) or not baseline:
        raise InputError(
            "baseline and arm must have equally many values, at least one, got {baseline} and {arm}",
            baseline=len(baseline),
            arm=len(arm),
        )
    first, second = np.asarray(baseline, float), np.asarray(arm, float)
    with np.errstate(invalid="ignore"):
        gains = second - first if increases else first - second
    gains = np.where(~np.isfinite(second), -math.inf, np.where(~np.isfinite(first), math.inf, gains))
    return np.where(~np.isfinite(first) & ~np.isfinite(second), 0.0, gains)


def gain_and_noise(gains: NDArray[np.float64]) -> tuple[float, float]:
    """Mean gain and its standard error.

    Where a run diverged the mean is infinite, and negative as soon as one run of the arm did. A single pair tells
    nothing of the noise: its standard error is infinite.
    """
    if (gains == -math.inf).any():
        return -math.inf, 0.0
    if (gains == math.inf).any():
        return math.inf, 0.0
    return float(gains.mean()), float(gains.std(ddof=1) / math.sqrt(len(gains))) if len(gains) > 1 else math.inf
