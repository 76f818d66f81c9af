"""What every framework's engine takes and tells: candidates, and who hears what becomes of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from sukima.records.history import History
from sukima.records.penalty import Activity
from sukima.records.recipe import Recipe
from sukima.records.result import Trial

__all__ = ["Candidate", "Listener", "Measure", "Terms", "is_ordinary", "may_stack"]

Candidate = tuple[Recipe, int]
"""A recipe and a seed."""

Measure = Callable[[Any, Trial], dict[str, Any]]
"""What else is measured on a model that has just been trained, with its recipe in force: the trial's effects."""


@dataclass(frozen=True)
class Terms:
    """What holds for all candidates that are trained together.

    Attributes:
        test: whether each trial measures the test data at its end.
        sampled: whether training curves, which nobody judges, may be those of a sample of the rows.
        rungs: numbers of epochs after which the listener judges; all candidates are then trained side by side.
    """

    test: bool = False
    sampled: bool = False
    rungs: Collection[int] = ()


class Listener(Protocol):
    """Told what becomes of candidates, by their numbers."""

    def epoch(self, number: int, history: History) -> None:
        """An epoch of it has ended."""
        ...

    def trial(self, number: int, trial: Trial) -> None:
        """It has ended, one way or another."""
        ...

    def judge(self, epoch: int, histories: Mapping[int, History]) -> Collection[int]:
        """Those to be given up, of the ones that have come to the end of a rung."""
        ...

    def alone(self, reason: str) -> None:
        """Candidates that were to be a stack are trained one after another."""
        ...


def may_stack(first: Recipe, other: Recipe) -> bool:
    """Whether two recipes may be members of one stack: their models are built alike, and weights alone are penalised.

    Asked of a recipe and itself: whether it may be a member of any.
    """
    return first.options == other.options and is_ordinary(first) and is_ordinary(other)


def is_ordinary(recipe: Recipe) -> bool:
    """Whether a stack knows all that it does: nothing acts on activities, and inputs are as they are."""
    on_outputs = any(isinstance(each, Activity) for each in recipe.penalties.values())
    return not (on_outputs or recipe.input_noise or recipe.mixup)
