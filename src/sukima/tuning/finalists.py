"""The finalists: the few candidates that are trained again with fresh seeds, and which of them wins."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sukima.records.pairing import gain_and_noise
from sukima.records.recipe import Recipe
from sukima.records.result import Comparison
from sukima.tuning.space import Space
from sukima.tuning.study import Entry

__all__ = ["FINALISTS", "best_of", "finalists", "winner_of"]

FINALISTS = 3
"""How many there are, at most."""

_PAIRS = 3
"""How many tell how large the noise is: of two, the standard error is often far too large or far too small."""


def finalists(
    space: Space, candidates: Sequence[Entry], none: Recipe | None = None, count: int = FINALISTS
) -> list[Entry]:
    """The first ``count`` candidates whose recipes differ from each other and from ``none``, if that is given."""
    different: dict[str, Entry] = {}
    for entry in candidates:
        different.setdefault(space.recipe(entry.point).to_json(), entry)
    if none is not None:
        different.pop(none.to_json(), None)
    return list(different.values())[:count]


def winner_of(comparison: Comparison) -> Recipe:
    """The finalist that gains most over the first arm, if by more than noise; else the empty recipe.

    Of fewer than three pairs the noise cannot be told: there is only the gain to go by.
    """
    name = _ahead(comparison)
    gains = comparison.differences[name].gains
    gain, noise = gain_and_noise(np.asarray(gains))
    if gain > (noise if len(gains) >= _PAIRS else 0.0):
        return comparison.arm(name).recipe
    return Recipe()


def best_of(comparison: Comparison) -> Recipe:
    """The arm with the best mean."""
    name = _ahead(comparison)
    return (comparison.arm(name) if comparison.differences[name].mean > 0 else comparison.arms[0]).recipe


def _ahead(comparison: Comparison) -> str:
    """The name of the arm that gains most over the first."""
    differences = comparison.differences
    return max(differences, key=lambda arm: differences[arm].mean)
