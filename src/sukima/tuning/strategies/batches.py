"""Proposals a batch at a time: what the strategies that draw points have in common.

A batch is proposed from what was known before it began, whatever has ended since, and its size does not depend on the
machine; so a study that goes on after an interruption proposes what it would have proposed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import pairwise

from sukima.tuning.sampling import Proposer
from sukima.tuning.search import Keep, Search
from sukima.tuning.space import Point

__all__ = ["BATCH", "search_in_batches"]

BATCH = 12
"""Candidates proposed together."""

_LEAST, _SURE = 3, 0.85
"""Candidates for which a batch is begun where time runs out, and the part of the time left that is planned."""

Rungs = Callable[[int], Collection[int]]
"""From the number of a batch to the epochs after which it is judged."""


def search_in_batches(
    search: Search,
    propose: Proposer,
    *,
    size: int = BATCH,
    rungs: Rungs = lambda _: (),
    keep: Keep | None = None,
    least: int = _LEAST,
    step: int = 1,
) -> None:
    """Propose and evaluate until there are as many candidates as the search may have.

    Where time runs out, a batch is a multiple of ``step``, and none is begun for less than ``least``.
    """
    begin, batch, late = search.references, 0, list[Point]()
    while begin < search.trials:
        advised = search.advised if batch == 0 else []
        wanted = min(size, search.trials - begin + len(advised))
        affordable = _SURE * search.affordable(_share(rungs(batch), search.epochs))
        fit = wanted if affordable >= wanted else int(affordable // step * step)
        if fit < min(wanted, least):  # a batch that is cut off in the middle has told nothing
            late = list(advised)
            break
        given = search.known(advised)
        end = begin + fit - len(given)
        entries = search.entries()
        if missing := max(0, end - max(begin, len(entries))):
            # Asked for the whole batch, so that each number gets the point that it gets in an uninterrupted study.
            points = propose(
                search.space, entries[:begin], end - begin, seed=search.first_seed, increases=search.increases
            )
            added = [search.study.add(point) for point in points[len(points) - missing :]]
            # By their numbers, and those of mine that came behind what another process has added meanwhile.
            entries = [*search.entries()[:end], *(entry for entry in added if entry.number >= end)]
        else:
            entries = entries[:end]
        search.evaluate([*given, *entries[begin:]], rungs=rungs(batch), keep=keep, wait=False)
        begin, batch = end, batch + 1
    search.evaluate([e for e in search.entries() if e.point not in late])  # what other processes have begun


def _share(rungs: Collection[int], epochs: int) -> float:
    """What a candidate takes of a whole training, on average, where half of them go on at each rung."""
    ends = [0, *sorted(rungs), epochs]
    return sum((end - begin) * 0.5**place for place, (begin, end) in enumerate(pairwise(ends))) / epochs
