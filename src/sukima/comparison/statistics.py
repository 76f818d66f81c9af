"""Differences between arms, with intervals from Student's t distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from sukima.base.checks import check_number
from sukima.records.pairing import gain_and_noise, paired_gains
from sukima.records.result import Difference, Outcome

__all__ = ["paired_difference"]


def paired_difference(
    baseline: Sequence[float], arm: Sequence[float], *, increases: bool = False, level: float = 0.95
) -> Difference:
    """The gain of ``arm`` over ``baseline`` with its interval.

    Args:
        baseline: a measure of the baseline, one a seed.
        arm: the same measure of the arm, with the same seeds in the same order.
        increases: whether a larger measure is better.
        level: coverage of the interval, in (0, 1).

    Returns:
        The difference; its outcome is ``better`` or ``worse`` only where the interval excludes zero. From a single
        seed nothing can be concluded, so that the interval is infinite, unless a run diverged. A measure that moves in
        steps, such as an accuracy, may give the same gain with every seed by chance; where gains are equal their
        spread is taken to be that of rounding to such steps, at least.
    """
    check_number("level", level, above=0, below=1)
    gains = paired_gains(baseline, arm, increases=increases)
    mean, error = gain_and_noise(gains)
    if len(set(gains.tolist())) < len(gains):
        error = max(error, _rounding([*baseline, *arm]) / math.sqrt(len(gains)))
    half = 0.0
    if math.isfinite(mean):
        from scipy.stats import t  # takes longer to import than all the rest, so only where it is used

        half = float(t.ppf((1 + level) / 2, len(gains) - 1)) * error if len(gains) > 1 else math.inf
    low, high = mean - half, mean + half
    outcome: Outcome = "better" if low > 0 else "worse" if high < 0 else "no difference"
    return Difference(mean, low, high, level, tuple(gains.tolist()), outcome)


def _rounding(values: Sequence[float]) -> float:
    """Standard deviation of the difference of two values that are rounded to the steps seen in ``values``.

    The step is the largest of which all their differences are multiples: one row's share of an accuracy, and next to
    nothing for numbers that lie anywhere.
    """
    exact = [Fraction(value).limit_denominator(1_000_000) for value in values if math.isfinite(value)]
    bottom = math.lcm(*(value.denominator for value in exact))
    step = math.gcd(*(int((value - exact[0]) * bottom) for value in exact[1:]))
    return step / bottom / math.sqrt(6)
