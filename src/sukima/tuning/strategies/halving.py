"""Halving: many candidates for a few epochs, the better half for more, and so on.

Synchronous successive halving (Jamieson & Talwalkar 2016) in brackets that begin later and later, as in Hyperband (Li
et al. 2018), with points from TPE as in BOHB (Falkner et al. 2018). Rungs are synchronous, unlike those of ASHA: a
batch is trained side by side anyway, and which candidates go on must not depend on which worker was faster.

Only half are given up at a rung, and never before a quarter of training: dropout slows the first epochs, so the early
rungs that are usual elsewhere would choose low rates.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

from sukima.tuning.search import Search
from sukima.tuning.strategies.batches import search_in_batches
from sukima.tuning.strategies.tpe import propose_tpe

__all__ = ["bracket", "halving", "survivors"]


def halving(search: Search) -> None:
    """Search until there are as many candidates as it may have."""

    def keep(_epoch: int, values: Mapping[int, float]) -> Collection[int]:
        return survivors(values, increases=search.increases)

    search_in_batches(search, propose_tpe, rungs=lambda batch: bracket(batch, search.epochs), keep=keep)


def bracket(batch: int, epochs: int) -> list[int]:
    """The rungs of a batch: after a quarter and after half of training, then after half, then none, and again."""
    shares = [(0.25, 0.5), (0.5,), ()][batch % 3]
    return sorted({max(1, round(share * epochs)) for share in shares} - {epochs})


def survivors(values: Mapping[int, float], *, increases: bool) -> list[int]:
    """The better half of the candidates (the larger half of an odd number)."""
    ranked = sorted(values, key=lambda number: (-values[number] if increases else values[number], number))
    return ranked[: math.ceil(len(ranked) / 2)]
