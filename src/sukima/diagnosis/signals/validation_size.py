"""How many rows the validation set has, and how far its accuracy can be trusted."""

from __future__ import annotations

import math

import numpy as np

from sukima.diagnosis.curves import Array

__all__ = ["binomial_interval", "rows_behind"]

MOST_ROWS = 2_000
SIGMA = 1.96


def rows_behind(shares: Array) -> int | None:
    """The smallest number of rows of which every accuracy is a whole share; ``None`` where there is none up to 2,000.

    Accuracies of a set of 150 rows are multiples of 1/150. At least six different values are asked for, and that they
    were written with enough digits to tell: otherwise many numbers fit by chance.
    """
    values = np.unique(shares[np.isfinite(shares)])
    if len(values) < 6:
        return None
    digits = 5e-5 if np.allclose(values, np.round(values, 4), atol=1e-9) else 5e-7
    for rows in range(10, MOST_ROWS + 1):
        off = np.abs(values * rows - np.round(values * rows))
        if (off <= rows * digits * 1.01).all():
            # By chance a value is as near as this to a share with the probability 2·rows·digits.
            return rows if (2 * rows * digits) ** len(values) * rows < 0.01 else None
    return None


def binomial_interval(share: float, rows: int) -> tuple[float, float]:
    """Wilson's 95 % interval of an accuracy measured on ``rows`` rows."""
    z = SIGMA**2 / rows
    centre = (share + z / 2) / (1 + z)
    half = SIGMA / (1 + z) * math.sqrt(share * (1 - share) / rows + z / (4 * rows))
    return max(0.0, centre - half), min(1.0, centre + half)
