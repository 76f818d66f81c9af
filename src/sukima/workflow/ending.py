"""The end of a search: how many finalists there are, with which seeds they are trained and compared, what it takes."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from sukima.tuning.deadline import Deadline
from sukima.tuning.finalists import FINALISTS

__all__ = ["FINALS", "GRACE", "PAIRS", "SHARE", "Ending"]

SHARE = 0.5
"""The part of a budget that the end should take."""

_MOST, GRACE = 0.6, 0.08
"""The most of a budget that the end may take, where two seeds take more than its share; and by how much the comparison
may exceed the budget, without which all that was spent before says nothing."""

FINALS, _FRESH = 2_000_000, 1_000_000
"""Where the seeds of the finalists and of the comparison begin, so that none of them was seen before."""

PAIRS = 2
"""Fresh seeds without which there is no interval."""

_CONFIRMING = 4
"""With how many fresh seeds finalists are trained, at least, where there is time."""

_RIVALS = 2
"""Finalists of few candidates, at least."""

_ARMS = 3
"""Of the comparison: baseline, guideline and winner."""


class Ending:
    """What is planned for finalists and comparison.

    Args:
        seeds: those with which each candidate of the search is trained.
        test_seeds: with how many seeds the comparison is made.
        workers: how many trainings go on at once; what is left for the last of them takes as long as for all.

    Attributes:
        confirming: the seeds by which the winner is chosen.
        fresh: those of the comparison.
        finalists: how many there are at most.
        few: whether there are so few candidates that the best are only compared with each other.
    """

    def __init__(self, seeds: Sequence[int], test_seeds: int, workers: int = 1) -> None:
        first, self._workers = seeds[0], workers
        self.confirming: Sequence[int] = range(FINALS + first, FINALS + first + max(_CONFIRMING, len(seeds)))
        self.fresh = self._wanted = range(_FRESH + first, _FRESH + first + test_seeds)
        self.finalists, self.few = FINALISTS, False
        self._known: Collection[int] = ()
        self._pace = 0.0

    @property
    def unseen(self) -> set[int]:
        """Those of `confirming` that the search has not used."""
        return set(self.confirming).difference(self._known)

    @property
    def choice_trainings(self) -> int:
        """What the choice among finalists takes at most, with the baseline if that is one of its arms."""
        return self._rounded((self.finalists + (not self.few)) * len(self.unseen))

    @property
    def trainings(self) -> int:
        """What all of it takes at most."""
        return self.choice_trainings + self._comparison_trainings

    @property
    def _comparison_trainings(self) -> int:
        return self._rounded(_ARMS * len(self.fresh))

    def _rounded(self, trainings: int) -> int:
        return math.ceil(trainings / self._workers) * self._workers

    def fit(self, deadline: Deadline, pace: float, known: Sequence[int] = ()) -> None:
        """Plan for what time there is, if a training takes ``pace`` seconds, and keep it back from the search.

        With ``known``, the runs with these seeds that the search has of the finalists count as well, and they have one
        fresh seed more, in a single round of the workers if that can be: where there are few candidates, more of them
        tell more than certainty about the best. The baseline then has its runs of the search and of the comparison.
        """
        if deadline.seconds is None:
            return
        self._pace, most, self._known = pace, SHARE * deadline.seconds, known
        if known:
            self.confirming = (*known, self.confirming[0])
            self.finalists, self.few = min(FINALISTS, max(_RIVALS, self._workers)), True
        share = min(1.0, most / max(self.trainings * pace, 1e-9))
        if not known:
            self.confirming = self.confirming[: max(PAIRS, math.floor(share * len(self.confirming)))]
        self.fresh = self.fresh[: max(PAIRS, math.floor(share * len(self.fresh)))]
        if self.trainings * pace > most and not self.few:
            self.finalists -= 1
        deadline.reserve = min(self.trainings * pace, _MOST * deadline.seconds)

    def begin_choice(self, deadline: Deadline) -> None:
        """The search is over: only the comparison's time is still kept back."""
        deadline.reserve = self._comparison_trainings * self._pace

    def begin_comparison(self, deadline: Deadline) -> None:
        """Finalists are done: all time that is left may be taken, and a little more."""
        deadline.reserve = -GRACE * (deadline.seconds or 0.0)

    def affordable_seeds(self, deadline: Deadline) -> int:
        """With how many seeds a comparison that began now would end in time."""
        trainings = (deadline.left + deadline.reserve) / max(self._pace, 1e-9)
        return sum(self._rounded(_ARMS * count) <= trainings for count in range(1, len(self._wanted) + 1))

    def compare_with(self, seeds: int) -> None:
        """Compare with so many seeds, where fewer were planned: time that the search left goes to them."""
        self.fresh = self._wanted[: max(len(self.fresh), seeds)]
