"""Paired differences against SciPy, and the coverage of their intervals."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from scipy import stats

from sukima.base.errors import InputError
from sukima.comparison.statistics import paired_difference

numbers = some.lists(some.tuples(some.floats(-5, 5), some.floats(-5, 5)), min_size=3, max_size=12)


@given(numbers, some.booleans())
def test_against_scipy(pairs: list[tuple[float, float]], increases: bool) -> None:
    first, second = np.array(pairs).T
    gains = second - first if increases else first - second
    found = paired_difference(first.tolist(), second.tolist(), increases=increases)
    assert found.mean == pytest.approx(gains.mean())
    if len(set(gains)) == len(gains) and np.ptp(gains) > 1e-6:  # equal gains are taken to be rounded
        interval = stats.ttest_rel(*((second, first) if increases else (first, second))).confidence_interval(0.95)
        assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_intervals_cover_as_often_as_they_say(level: float) -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(1000):
        base, gain = rng.normal(3, 1, 6), rng.normal(0.2, 0.5, 6)
        found = paired_difference(base.tolist(), (base - gain).tolist(), level=level)
        covered += found.low <= 0.2 <= found.high
    assert abs(covered / 1000 - level) < 4 * math.sqrt(level * (1 - level) / 1000)


@pytest.mark.parametrize(
    ("baseline", "arm", "outcome"),
    [
        ([1, 1.1, 0.9], [0.5, 0.61, 0.4], "better"),
        ([0.5, 0.61, 0.4], [1, 1.1, 0.9], "worse"),
        ([1, 2, 3], [1, 2, 3], "no difference"),
        ([1], [0], "no difference"),
        ([1, 1, 1], [0, 0, math.inf], "worse"),
        ([1, math.nan, 1], [1, 1, 1], "better"),
        ([math.inf, math.nan], [math.nan, math.inf], "no difference"),
    ],
)
def test_outcomes(baseline: list[float], arm: list[float], outcome: str) -> None:
    assert paired_difference(baseline, arm).outcome == outcome


@pytest.mark.parametrize(("baseline", "arm", "level"), [([], [], 0.9), ([1], [1, 2], 0.9), ([1], [1], 1.0)])
def test_bad_arguments(baseline: list[float], arm: list[float], level: float) -> None:
    with pytest.raises(InputError):
        paired_difference(baseline, arm, level=level)


def test_equal_gains_of_a_measure_with_steps_are_no_proof() -> None:
    """Three seeds that each gain one image of a thousand."""
    found = paired_difference([0.950, 0.953, 0.957], [0.951, 0.954, 0.958], increases=True)
    assert found.mean == pytest.approx(0.001)
    assert found.outcome == "no difference"
    assert paired_difference([0.950, 0.953, 0.957], [0.971, 0.974, 0.978], increases=True).outcome == "better"


def test_accuracies_of_one_recipe_are_rarely_told_apart() -> None:
    rng = np.random.default_rng(1)
    claims = 0
    for _ in range(2000):
        first, second = rng.binomial(597, 0.965, (2, 3)) / 597
        claims += (
            paired_difference(first.tolist(), second.tolist(), increases=True, level=0.995).outcome != "no difference"
        )
    assert claims / 2000 < 0.015


def test_nothing_at_all_is_told_from_equal_runs() -> None:
    found = paired_difference([0.3, 0.4, 0.6], [0.3, 0.4, 0.6])
    assert found.outcome == "no difference"
    assert found.mean == 0


def test_equal_gains_of_a_measure_without_steps_need_no_room() -> None:
    same = [0.3123456, 0.4765432, 0.6012457]
    found = paired_difference(same, same)
    assert found.high - found.low < 1e-5
