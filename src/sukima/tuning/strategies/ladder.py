"""The ladder: start low, raise the rate while validation improves beyond noise.

First one rate for all sites, then site by site. It is the teaching material's advice, made exact: each rung is
compared with the best before it, seed by seed, and accepted only if its mean gain exceeds the standard error of
that gain.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from sukima.base.errors import InputError
from sukima.records.pairing import gain_and_noise, paired_gains
from sukima.records.recipe import ALL_SITES
from sukima.records.result import Rung
from sukima.tuning.dimension import Dimension
from sukima.tuning.space import Point, Space

__all__ = ["ladder", "ladder_candidates", "site_of"]

_STEP = 0.1
_MISSES = 2
"""Rungs in a row without a gain after which the shared climb ends: one alone may be noise."""

Evaluate = Callable[[Point], Sequence[float]]
"""Point → its validation loss (or metric), one a seed, always with the same seeds."""

Expect = Callable[[Sequence[Point]], None]
"""Told which points will be asked for next, for an engine that trains several at once."""


def ladder(space: Space, evaluate: Evaluate, *, increases: bool, expect: Expect = lambda _: None) -> Iterator[Rung]:
    """Climb; the last rung with ``accepted`` holds the winner.

    Args:
        space: its rates are searched, from their lowest values; whatever else it holds stays at its first value.
        evaluate: trains the candidate at a point with every seed.
        increases: whether a larger value is better.
        expect: told beforehand what will be evaluated next.

    Yields:
        Each rung as soon as it is known, so that an interrupted climb keeps what it has. The first is the start.
    """
    climb = _Climb(space, evaluate, increases)
    rates = climb.rates()
    shared = [climb.shared(rate) for rate in rates]
    expect(shared[: _MISSES + 1])
    yield climb.foot(shared[0])
    misses = 0
    for step in range(1, len(rates)):
        expect(shared[step : step + _MISSES - misses])  # so many will be tried whatever comes
        rung = climb.attempt(shared[step], ALL_SITES, rates[step])
        yield rung
        misses = 0 if rung.accepted else misses + 1
        if misses == _MISSES:
            break
    if len(climb.dimensions) > 1:
        for dimension in climb.dimensions:
            expect([point for by in (_STEP, -_STEP) if (point := climb.moved(dimension, by)) is not None])
            yield from _climb_one(climb, dimension)


def _climb_one(climb: _Climb, dimension: Dimension) -> Iterator[Rung]:
    """Move one site's rate up while that helps; if the first step up does not, move it down while that helps."""
    for direction in (+_STEP, -_STEP):
        improved = False
        while (point := climb.moved(dimension, direction)) is not None:
            rung = climb.attempt(point, site_of(dimension), float(point[dimension.name]))
            yield rung
            if not rung.accepted:
                break
            improved = True
        if improved:
            return


def site_of(dimension: Dimension) -> str:
    """The site that a rate belongs to; the dimension's name where several sites share it."""
    return dimension.sites[0] if len(dimension.sites) == 1 else dimension.name


class _Climb:
    """The best point so far, and its values."""

    def __init__(self, space: Space, evaluate: Evaluate, increases: bool) -> None:
        self._space, self._evaluate, self._increases = space, evaluate, increases
        self.dimensions = [d for d in space.dimensions if d.field == "rate"]
        if not self.dimensions:
            raise InputError("space: the ladder needs at least one rate to climb, got {names}", names=space.names)
        self._rest: Point = {d.name: d.values[0] for d in space.dimensions if d.field != "rate"}
        self.best: Point = {}
        self._best_values: Sequence[float] = ()

    def rates(self) -> list[float]:
        """The rates of the shared climb."""
        lowest = min(float(d.values[0]) for d in self.dimensions)
        highest = max(float(d.values[-1]) for d in self.dimensions)
        return [round(lowest + _STEP * step, 4) for step in range(int((highest - lowest) / _STEP + 1e-6) + 1)]

    def shared(self, rate: float) -> Point:
        """Every site at this rate, or at the nearest that it may have."""
        return self._rest | {d.name: float(d.nearest(rate)) for d in self.dimensions}

    def foot(self, start: Point) -> Rung:
        """Where the climb begins."""
        self.best, self._best_values = start, self._evaluate(start)
        lowest = min(float(start[d.name]) for d in self.dimensions)
        return Rung(self._space.recipe(start), ALL_SITES, lowest, tuple(self._best_values), 0.0, 0.0, True)

    def moved(self, dimension: Dimension, by: float) -> Point | None:
        """The best point with one rate moved; ``None`` beyond the ends."""
        now = float(self.best[dimension.name])
        rate = float(dimension.nearest(now + by))
        return {**self.best, dimension.name: rate} if abs(rate - now) > abs(by) / 2 else None

    def attempt(self, point: Point, site: str, rate: float) -> Rung:
        """Try a point; it becomes the best if it gains more than the noise of that gain."""
        values = self._evaluate(point)
        gain, noise = gain_and_noise(paired_gains(self._best_values, values, increases=self._increases))
        if accepted := gain > (noise if math.isfinite(noise) else 0.0):  # one seed: there is only the gain to go by
            self.best, self._best_values = point, values
        return Rung(self._space.recipe(point), site, rate, tuple(values), gain, noise, accepted)


def ladder_candidates(rates: int) -> int:
    """About how many candidates a climb tries, for a progress bar and an estimate of time."""
    return 7 + (2 * rates if rates > 1 else 0)
