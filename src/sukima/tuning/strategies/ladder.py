"""The ladder: start low, raise the rate while validation improves beyond noise.

First one rate for all sites, then site by site. It is the teaching material's advice, made exact: each rung is
compared with the best before it, seed by seed, and accepted only if its mean gain exceeds the standard error of
that gain.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from sukima.records.pairing import gain_and_noise, paired_gains
from sukima.records.recipe import ALL_SITES, Recipe
from sukima.records.result import Rung

__all__ = ["ladder", "ladder_trials"]

_STEP = 0.1
_HIGHEST = 0.9
_MISSES = 2
"""Rungs in a row without a gain after which the shared climb ends: one alone may be noise."""

Evaluate = Callable[[Recipe], Sequence[float]]
"""Recipe → its validation loss (or metric), one a seed, always with the same seeds."""


def ladder(start: Recipe, sites: Sequence[str], evaluate: Evaluate, *, increases: bool) -> Iterator[Rung]:
    """Climb; the last rung with ``accepted`` holds the winner.

    Args:
        start: the recipe without dropout; everything in it but the rates is kept.
        sites: the sites to search.
        evaluate: trains a recipe with every seed.
        increases: whether a larger value is better.

    Yields:
        Each rung as soon as it is known, so that an interrupted climb keeps what it has. The first is ``start``.
    """
    zero = start.with_rates(dict.fromkeys(sites, 0.0))
    climb = _Climb(zero, evaluate, increases)
    yield climb.foot()
    misses, rate = 0, _STEP
    while misses < _MISSES and rate <= _HIGHEST + 1e-9:
        rung = climb.attempt(zero.with_rates(dict.fromkeys(sites, round(rate, 2))), ALL_SITES, round(rate, 2))
        yield rung
        misses = 0 if rung.accepted else misses + 1
        rate += _STEP
    if len(sites) > 1:
        for site in sites:
            yield from _climb_one(climb, site)


def _climb_one(climb: _Climb, site: str) -> Iterator[Rung]:
    """Move one site's rate up while that helps; if the first step up does not, move it down while that helps."""
    for direction in (+_STEP, -_STEP):
        moved = False
        while True:
            rate = round(climb.best.rates[site] + direction, 2)
            if not 0 <= rate <= _HIGHEST:
                break
            rung = climb.attempt(climb.best.with_rates({**climb.best.rates, site: rate}), site, rate)
            yield rung
            if not rung.accepted:
                break
            moved = True
        if moved:
            return


class _Climb:
    """The best recipe so far, and its values."""

    def __init__(self, start: Recipe, evaluate: Evaluate, increases: bool) -> None:
        self._evaluate, self._increases = evaluate, increases
        self.best = start
        self._best_values = evaluate(start)

    def foot(self) -> Rung:
        """Where the climb begins."""
        return Rung(self.best, ALL_SITES, 0.0, tuple(self._best_values), 0.0, 0.0, True)

    def attempt(self, recipe: Recipe, site: str, rate: float) -> Rung:
        """Try a recipe; it becomes the best if it gains more than the noise of that gain."""
        values = self._evaluate(recipe)
        gain, noise = gain_and_noise(paired_gains(self._best_values, values, increases=self._increases))
        if accepted := gain > (noise if math.isfinite(noise) else 0.0):  # one seed: there is only the gain to go by
            self.best, self._best_values = recipe, values
        return Rung(recipe, site, rate, tuple(values), gain, noise, accepted)


def ladder_trials(sites: int, seeds: int) -> int:
    """About how many trials a climb takes, for a progress bar and an estimate of time."""
    return seeds * (7 + (2 * sites if sites > 1 else 0))
