"""Grid search: points at equal distances, as many as the search may have."""

from __future__ import annotations

from collections.abc import Sequence

from sukima.tuning.search import Search
from sukima.tuning.space import Point, Space
from sukima.tuning.strategies.batches import search_in_batches
from sukima.tuning.study import Entry

__all__ = ["grid"]


def grid(search: Search) -> None:
    """Evaluate the grid from its low corner to its high one."""
    points = list(search.space.grid(max(1, search.trials - search.references)))
    search.trials = min(search.trials, search.references + len(points))

    def propose(  # the form of a Proposer
        space: Space,  # noqa: ARG001
        known: Sequence[Entry],
        count: int,
        *,
        seed: int,  # noqa: ARG001
        increases: bool,  # noqa: ARG001
    ) -> list[Point]:
        begin = len(known) - search.references
        return points[begin : begin + count]

    search_in_batches(search, propose)
