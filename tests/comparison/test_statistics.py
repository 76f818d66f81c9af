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
    if np.ptp(gains) > 1e-6:
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
