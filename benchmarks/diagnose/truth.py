"""The truth of a history, as TRUTH.md defines it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

FLOOR = 0.005
ERRORS = 2.0
IMPROVEMENT = 0.05
NO_GAP = 0.2


class Truth(NamedTuple):
    """The label, the middle (from 1) of the best window of the held-out curve, and how sure the rise since is.

    The error is the standard error of the paired difference over the held-out rows; 0 where the run diverged.
    """

    label: str
    best_epoch: float
    error: float = 0.0


def truth(
    train: np.ndarray, validation: np.ndarray, held_out: np.ndarray, epochs: int, *, start: float, reference: float
) -> Truth:
    """The truth of the first ``epochs`` of a run; ``held_out`` is epochs × rows and goes on to three times that."""
    width = max(1, epochs // 10)
    seen = held_out[:epochs]
    finite = all(np.isfinite(curve[:epochs]).all() for curve in (train, validation, seen)) and len(train) >= epochs
    if not finite or train[epochs - width : epochs].mean() > start + FLOOR:
        return Truth("diverged", 0.0)
    totals = np.cumsum(np.vstack([np.zeros(seen.shape[1]), seen.astype(np.float64)]), axis=0)
    windows = (totals[width:] - totals[:-width]) / width
    best = int(windows.mean(1).argmin())
    middle = best + (width + 1) / 2
    difference = windows[-1] - windows[best]
    error = float(difference.std(ddof=1) / np.sqrt(len(difference)))
    if difference.mean() > FLOOR and difference.mean() > ERRORS * error:
        return Truth("overfitting", middle, error)
    end = float(windows[-1].mean())
    longer = held_out[: 3 * epochs]
    if len(longer) == 3 * epochs and longer[-width:].mean() < (1 - IMPROVEMENT) * end:
        return Truth("unfinished", middle, error)
    fitted = float(train[epochs - width : epochs].mean())
    if fitted > reference and end - fitted <= NO_GAP * end:
        return Truth("underfitting", middle, error)
    return Truth("healthy", middle, error)
