"""Learned rates: by gradient in one run (concrete dropout, Gal et al. 2017), then fixed, and verified like any other.

Two runs begin with different rates. Where they end apart, training was too short for the rates to converge, and that
is said; all that was learned are candidates then, and validation decides.
"""

from __future__ import annotations

from collections.abc import Sequence

from sukima.base.errors import InputError
from sukima.base.messages import Message, say
from sukima.engines.torch.learned import learn_rates
from sukima.tuning.search import Search
from sukima.tuning.space import Dimension, Point

__all__ = ["learned"]

_STARTS = (0.1, 0.5)
_APART = 0.1
"""Rates further apart than this have not converged."""


def learned(search: Search) -> Message | None:
    """Learn the rates of the space, then evaluate them; what is not a rate stays at its usual value.

    Returns:
        A remark where the rates have not converged.
    """
    rates = [dimension for dimension in search.space.dimensions if dimension.field == "rate"]
    if not rates:
        raise InputError("space: there must be at least one rate to learn, got {names}", names=search.space.names)
    found = [
        learn_rates(
            search.engine.task, [d.sites for d in rates], start, search.first_seed, after_epoch=search.deadline.check
        )
        for start in _STARTS
    ]
    middle = [(low + high) / 2 for low, high in zip(*found, strict=True)]
    search.evaluate(search.known([_point(search, rates, each) for each in (*found, middle)]))
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


def _point(search: Search, rates: Sequence[Dimension], values: Sequence[float]) -> Point:
    """The point of the space that is nearest to the learned rates."""
    point = search.space.usual()
    for dimension, rate in zip(rates, values, strict=True):
        point[dimension.name] = min(dimension.values, key=lambda value: abs(float(value) - rate))
    return point
