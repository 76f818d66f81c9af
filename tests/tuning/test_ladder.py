"""The ladder on response curves whose optimum is known."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from sukima.records.recipe import Recipe
from sukima.tuning.dimension import Dimension
from sukima.tuning.space import Point, Space
from sukima.tuning.strategies.ladder import ladder, ladder_candidates

Loss = Callable[[dict[str, float]], float]


def climb(loss: Loss, sites: Sequence[str] = ("a",), noise: float = 0.0, seeds: int = 5, rng_seed: int = 0, **options):
    rng = np.random.default_rng(rng_seed)
    shared = rng.normal(0, 1, seeds)  # a seed is easy or hard for every recipe
    tried: list[Recipe] = []

    def evaluate(point: Point) -> list[float]:
        recipe = space.recipe(point)
        tried.append(recipe)
        return (loss(recipe.rates) + shared + rng.normal(0, noise, seeds)).tolist()

    increases = options.pop("increases", False)
    rates = [Dimension(name=f"rate {site}", field="rate", sites=(site,)) for site in sites]
    space = Space(tuple(rates), options.pop("start", Recipe()))
    rungs = list(ladder(space, evaluate, increases=increases))
    return [rung for rung in rungs if rung.accepted][-1].recipe, rungs, tried


@pytest.mark.parametrize("best", [0.0, 0.1, 0.4, 0.9])
def test_finds_the_best_of_one_site(best: float) -> None:
    winner, rungs, _ = climb(lambda rates: (rates["a"] - best) ** 2)
    assert winner.rates == {"a": pytest.approx(best)}
    assert len(rungs) <= round(best * 10) + 3
    assert max(rung.rate for rung in rungs) <= 0.9


def test_finds_different_rates_at_different_sites() -> None:
    best = {"a": 0.5, "b": 0.2, "c": 0.0}
    winner, _, _ = climb(lambda rates: sum((rates[s] - best[s]) ** 2 for s in best), sites=list(best))
    assert winner.rates == {s: pytest.approx(r) for s, r in best.items()}


@pytest.mark.parametrize("rng_seed", range(5))
def test_noise_in_the_seeds_cancels_and_small_noise_is_overcome(rng_seed: int) -> None:
    winner, _, _ = climb(lambda rates: 5 * (rates["a"] - 0.4) ** 2, noise=0.01, rng_seed=rng_seed)
    assert 0.3 <= winner.rates["a"] <= 0.5


def test_one_bad_rung_does_not_end_the_climb() -> None:
    winner, _, _ = climb(lambda rates: {0.0: 1.0, 0.1: 1.1, 0.2: 0.5}.get(rates["a"], 2.0))
    assert winner.rates["a"] == 0.2


def test_a_metric_that_increases() -> None:
    winner, _, _ = climb(lambda rates: -((rates["a"] - 0.3) ** 2), increases=True)
    assert winner.rates["a"] == pytest.approx(0.3)


def test_a_single_seed_goes_by_the_gain_alone() -> None:
    winner, _, _ = climb(lambda rates: (rates["a"] - 0.3) ** 2, seeds=1)
    assert winner.rates["a"] == pytest.approx(0.3)


def test_a_flat_curve_keeps_the_start() -> None:
    winner, rungs, _ = climb(lambda _: 1.0)
    assert winner.is_empty
    assert len(rungs) == 3


def test_divergence_loses_and_a_diverged_baseline_is_left() -> None:
    winner, _, _ = climb(lambda rates: np.inf if rates["a"] > 0.25 else -rates["a"])
    assert winner.rates["a"] == 0.2
    winner, _, _ = climb(lambda rates: np.nan if rates["a"] == 0 else rates["a"])
    assert winner.rates["a"] == 0.1
    winner, _, _ = climb(lambda _: np.inf)
    assert winner.is_empty


def test_everything_but_the_rates_is_kept() -> None:
    _, _, tried = climb(lambda rates: rates["a"], start=Recipe(weight_decay=0.1, rates={"a": 0.7, "kept": 0.0}))
    assert all(recipe.weight_decay == 0.1 for recipe in tried)
    assert tried[0].rates["a"] == 0.0


def test_the_estimate_of_its_length_is_of_the_right_size() -> None:
    best = {"a": 0.5, "b": 0.3}
    _, rungs, _ = climb(lambda rates: sum((rates[s] - best[s]) ** 2 for s in best), sites=list(best))
    assert 0.5 < ladder_candidates(2) / len(rungs) < 2
