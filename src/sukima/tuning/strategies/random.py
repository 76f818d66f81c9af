"""Random search (Bergstra & Bengio 2012): points drawn evenly, each a function of the seed and its number."""

from __future__ import annotations

from collections.abc import Sequence

from sukima.tuning.sampling import proposals
from sukima.tuning.space import Point, Space
from sukima.tuning.study import Entry

__all__ = ["propose_random"]


def propose_random(space: Space, known: Sequence[Entry], count: int, *, seed: int, increases: bool) -> list[Point]:
    """``count`` points for the numbers after the known ones."""
    return proposals(lambda optuna, own: optuna.samplers.RandomSampler(seed=own), space, known, count, seed, increases)
