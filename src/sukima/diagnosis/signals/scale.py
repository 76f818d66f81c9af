"""A training loss and a validation loss that are not on the same scale."""

from __future__ import annotations

import math

import numpy as np

from sukima.diagnosis.curves import Array

__all__ = ["scale_factor"]

LEAST = 4.0
STEADY = 0.25


def scale_factor(train: Array, validation: Array) -> float | None:
    """Validation over training, where one looks divided by another count than the other; else ``None``.

    The first epochs tell: before anything was learned by heart both losses are nearly equal, so that a factor of four
    or more there, which then hardly changes while both curves fall, is an error of the record (a sum instead of a
    mean, samples instead of batches) rather than a gap.
    """
    if len(train) < 3 or min(train.min(), validation.min()) <= 0:
        return None
    ratio = np.log(validation / train)
    centre = float(np.median(ratio))
    moved = abs(math.log(float(validation[-1] / validation[0])))
    steady = float(np.abs(ratio - centre).max()) < max(STEADY, STEADY * moved)
    return math.exp(centre) if steady and min(abs(centre), abs(float(ratio[0]))) > math.log(LEAST) else None
