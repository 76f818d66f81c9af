"""The truth of a history, as TRUTH.md defines it."""

from __future__ import annotations

from statistics import NormalDist
from typing import NamedTuple

import numpy as np

FLOOR = 0.005
ERRORS = 2.0
IMPROVEMENT = 0.05
NO_GAP = 0.2


TRUTHS = ("healthy", "overfitting", "underfitting", "unfinished", "diverged")


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


def chances(
    label: str, *, rise: float, error: float, end: float, gain: float, fitted: float, reference: float
) -> list[float]:
    """How much each truth holds, where a history lies near an edge: what the trees are grown from.

    A gain of 5.1 % is hardly another truth than one of 4.9 %, and a held-out set of a thousand rows does not tell them
    apart. Half of each history is its label; the other half is spread over both sides of the edges near it. Figures
    are always counted by the label.

    Args:
        label: the truth.
        rise: held-out loss at the end less that at its best, ``error`` its standard error.
        end: held-out loss at the end.
        gain: share of it that three times the epochs took off.
        fitted: training loss at the end, in inference mode.
        reference: what the reference model reaches on held-out data.
    """
    if label == "diverged" or not all(map(np.isfinite, (rise, error, gain))):
        return [float(label == one) for one in TRUTHS]
    beyond = NormalDist().cdf
    turned = beyond((rise - max(FLOOR, ERRORS * error)) / (0.7 * error + 0.001))
    falls = (1 - turned) * beyond((gain - IMPROVEMENT) / (0.012 + 0.15 * abs(gain - IMPROVEMENT)))
    stuck = beyond(np.log(fitted / reference) / 0.05) * beyond((NO_GAP - (end - fitted) / end) / 0.03)
    rest = 1 - turned - falls
    near = {"overfitting": turned, "unfinished": falls, "underfitting": rest * stuck, "healthy": rest * (1 - stuck)}
    return [0.5 * near.get(one, 0.0) + 0.5 * (label == one) for one in TRUTHS]
