"""Learned rates: by gradient in one run (concrete dropout, Gal et al. 2017), then fixed, and verified like any other.

Two runs begin with different rates. Where they end apart, training was too short for the rates to converge, and that
is said; all that was learned are candidates then, and validation decides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sukima.base.errors import InputError
from sukima.base.messages import Message, say
from sukima.engines.choose import framework
from sukima.tuning.dimension import Dimension
from sukima.tuning.search import Search
from sukima.tuning.space import Point
from sukima.tuning.study import Entry

__all__ = ["learned", "learned_first"]

_STARTS = (0.1, 0.5)
_APART = 0.1
"""Rates further apart than this have not converged."""

_WORTH = 20
"""Candidates below which a search spends its trials on points of its own."""

_SHARE = 0.1
"""The most of the time left that learning may be expected to take, where something else is to come."""

_SLOWER = 4
"""How much longer learning takes than a trial that is trained beside others, for each of a crew's workers."""


def learned(search: Search) -> Message | None:
    """Learn the rates of the space, then evaluate them; what is not a rate stays at its usual value.

    Returns:
        A remark where the rates have not converged.
    """
    rates, found = _learn(search)
    _evaluate(search, rates, found)
    apart = {d.name: ends for d, *ends in zip(rates, *found, strict=True) if abs(ends[0] - ends[1]) > _APART}
    if not apart:
        return None
    listed = ", ".join(f"{name}: {low:.2f} / {high:.2f}" for name, (low, high) in apart.items())
    return say(
        "The learned rates have not converged: begun at {first} and {second} they end apart ({rates}). Train longer, "
        "or search.",
        first=_STARTS[0],
        second=_STARTS[1],
        rates=listed,
    )


def learned_first(search: Search, then: Callable[[Search], None]) -> None:
    """Begin with learned rates as candidates, and go on with a strategy that knows them.

    Where rates cannot be learned, or would take too much of what the search may spend, it begins without.
    """
    expected = len(_STARTS) * _SLOWER * search.engine.workers * search.pace
    worth = search.trials - search.references >= _WORTH and expected <= _SHARE * search.deadline.left
    if worth:
        try:
            rates, found = _learn(search)
        except InputError:  # a site that rates cannot be learned at, or a loss that is not finite
            pass
        else:
            # They have the numbers after the references, also where a study goes on.
            last = max(entry.number for entry in _evaluate(search, rates, found))
            search.references = max(search.references, last + 1)
    then(search)


def _learn(search: Search) -> tuple[list[Dimension], list[list[float]]]:
    """The dimensions that are rates, and what they became from each start."""
    rates = [dimension for dimension in search.space.dimensions if dimension.field == "rate"]
    if not rates:
        raise InputError("space: there must be at least one rate to learn, got {names}", names=search.space.names)
    groups = [dimension.sites for dimension in rates]
    task, seed, check = search.engine.task, search.first_seed, search.deadline.check
    learn = framework(task).learn_rates
    return rates, [learn(task, groups, start, seed, after_epoch=check) for start in _STARTS]


def _evaluate(search: Search, rates: Sequence[Dimension], found: Sequence[Sequence[float]]) -> list[Entry]:
    """Train what was learned, and the middle of it, as candidates, beside those that were advised."""
    middle = [(low + high) / 2 for low, high in zip(*found, strict=True)]
    points = [_point(search, rates, each) for each in (*found, middle)]
    return search.evaluate(search.known([*search.advised, *points]))


def _point(search: Search, rates: Sequence[Dimension], values: Sequence[float]) -> Point:
    """The point of the space that is nearest to the learned rates."""
    point = search.space.usual()
    for dimension, rate in zip(rates, values, strict=True):
        point[dimension.name] = dimension.nearest(rate)
    return point
