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

Expect = Callable[[Sequence[Recipe]], None]
"""Told which recipes will be asked for next, for an engine that trains several at once."""


def ladder(
    start: Recipe, sites: Sequence[str], evaluate: Evaluate, *, increases: bool, expect: Expect = lambda _: None
) -> Iterator[Rung]:
    """Climb; the last rung with ``accepted`` holds the winner.

    Args:
        start: the recipe without dropout; everything in it but the rates is kept.
        sites: the sites to search.
        evaluate: trains a recipe with every seed.
        increases: whether a larger value is better.
        expect: told beforehand what will be evaluated next.

    Yields:
        Each rung as soon as it is known, so that an interrupted climb keeps what it has. The first is ``start``.
    """
    rates = [round(_STEP * step, 2) for step in range(round(_HIGHEST / _STEP) + 1)]
    shared = [start.with_rates(dict.fromkeys(sites, rate)) for rate in rates]
    expect(shared[: _MISSES + 1])
    climb = _Climb(shared[0], evaluate, increases)
    yield climb.foot()
    misses = 0
    for step in range(1, len(rates)):
        expect(shared[step : step + _MISSES - misses])  # so many will be tried whatever comes
        rung = climb.attempt(shared[step], ALL_SITES, rates[step])
        yield rung
        misses = 0 if rung.accepted else misses + 1
        if misses == _MISSES:
            break
    if len(sites) > 1:
        for site in sites:
            expect([recipe for step in (_STEP, -_STEP) if (recipe := climb.moved(site, step)) is not None])
            yield from _climb_one(climb, site)


def _climb_one(climb: _Climb, site: str) -> Iterator[Rung]:
    """Move one site's rate up while that helps; if the first step up does not, move it down while that helps."""
    for direction in (+_STEP, -_STEP):
        improved = False
        while (recipe := climb.moved(site, direction)) is not None:
            rung = climb.attempt(recipe, site, recipe.rates[site])
            yield rung
            if not rung.accepted:
                break
            improved = True
        if improved:
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

    def moved(self, site: str, by: float) -> Recipe | None:
        """The best recipe with one rate moved; ``None`` beyond the ends."""
        rate = round(self.best.rates[site] + by, 2)
        return self.best.with_rates({**self.best.rates, site: rate}) if 0 <= rate <= _HIGHEST else None

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
