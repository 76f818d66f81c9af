"""The finalists: the few candidates that are trained again with fresh seeds, and which of them wins."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sukima.records.pairing import gain_and_noise
from sukima.records.recipe import Recipe
from sukima.records.result import Comparison
from sukima.tuning.space import Space
from sukima.tuning.study import Entry

__all__ = ["FINALISTS", "finalists", "winner_of"]

FINALISTS = 3
"""How many there are, at most."""


def finalists(space: Space, candidates: Sequence[Entry], none: Recipe, count: int = FINALISTS) -> list[Entry]:
    """The first ``count`` candidates whose recipes differ from each other and from ``none``."""
    different: dict[str, Entry] = {}
    for entry in candidates:
        different.setdefault(space.recipe(entry.point).to_json(), entry)
    different.pop(none.to_json(), None)
    return list(different.values())[:count]


def winner_of(comparison: Comparison) -> Recipe:
    """The finalist that gains most over the first arm, if by more than noise; else the empty recipe."""
    differences = comparison.differences
    name = max(differences, key=lambda arm: differences[arm].mean)
    gain, noise = gain_and_noise(np.asarray(differences[name].gains))
    if gain > (noise if math.isfinite(noise) else 0.0):  # a single pair: there is only the gain to go by
        return comparison.arm(name).recipe
    return Recipe()
