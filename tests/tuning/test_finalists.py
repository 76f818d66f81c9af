"""The finalists, and which of them wins."""

import math

import pytest

from sukima.comparison.statistics import paired_difference
from sukima.records.history import History
from sukima.records.recipe import Recipe
from sukima.records.result import Arm, Comparison, Cost, Score, Trial
from sukima.tuning.dimension import Dimension
from sukima.tuning.finalists import FINALISTS, best_of, finalists, winner_of
from sukima.tuning.space import Space
from sukima.tuning.study import Entry

SPACE = Space((Dimension(name="a", field="rate", sites=("a",)),))


def entries(*rates: float) -> list[Entry]:
    return [Entry(number, {"a": rate}, "complete", 1.0) for number, rate in enumerate(rates)]


def test_the_first_few_that_differ_from_each_other_and_from_nothing() -> None:
    chosen = finalists(SPACE, entries(0.3, 0.0, 0.3, 0.5, 0.1, 0.2), SPACE.recipe({"a": 0.0}))
    assert [entry.point["a"] for entry in chosen] == [0.3, 0.5, 0.1]
    assert len(chosen) == FINALISTS
    assert finalists(SPACE, entries(0.0, 0.0), SPACE.recipe({"a": 0.0})) == []
    assert [entry.point["a"] for entry in finalists(SPACE, entries(0.3, 0.0, 0.5), count=2)] == [0.3, 0.0]


def compared(baseline: list[float], **arms: list[float]) -> Comparison:
    def arm(name: str, losses: list[float]) -> Arm:
        recipe = Recipe(rates={"a": 0.1 * len(name)})
        trials = (Trial(recipe, s, History(), 1, Score(loss), Score(loss)) for s, loss in enumerate(losses))
        return Arm(name, recipe, tuple(trials))

    differences = {
        name: paired_difference(baseline, losses, increases=False, level=0.95) for name, losses in arms.items()
    }
    return Comparison(
        task="t", by="loss", metric="", metric_increases=False, data="validation", differences=differences, verdicts={},
        arms=(arm("baseline", baseline), *(arm(name, losses) for name, losses in arms.items())),
        cost=Cost(0.0, 0, 0), environment={},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arms", "winner"),
    [
        ({"b": [0.9, 1.8, 0.7], "cc": [0.8, 1.7, 0.6]}, "cc"),  # both are better, one more so
        ({"b": [0.9, 2.2, 0.8], "cc": [1.1, 2.1, 0.9]}, None),  # within the noise of the gain
        ({"b": [1.1, 2.1, 0.9]}, None),
        ({"b": [0.5, math.inf, 0.2], "cc": [0.9, 1.9, 0.7]}, "cc"),  # a run that diverged cannot win
        ({"b": [0.9]}, "b"),  # a single pair: there is only the gain to go by
        ({"b": [0.6, 2.2], "cc": [0.9, 2.0]}, "b"),  # and of two
        ({"b": [0.9, 2.2], "cc": [0.9, math.inf]}, None),
    ],
)
def test_the_winner_gains_more_than_noise(arms: dict[str, list[float]], winner: str | None) -> None:
    found = compared([1.0, 2.0, 0.8][: len(arms["b"])], **arms)
    assert winner_of(found) == (Recipe() if winner is None else found.arm(winner).recipe)


@pytest.mark.parametrize(
    ("arms", "best"),
    [
        ({"b": [0.9, 1.8]}, "b"),
        ({"b": [1.1, 1.95]}, "baseline"),
        ({"b": [1.1, 1.8], "cc": [0.8, 1.9]}, "cc"),
        ({"b": [0.5, math.inf]}, "baseline"),
    ],
)
def test_the_best_of_a_few_is_the_best_mean(arms: dict[str, list[float]], best: str) -> None:
    found = compared([1.0, 2.0], **arms)
    assert best_of(found) == found.arm(best).recipe
