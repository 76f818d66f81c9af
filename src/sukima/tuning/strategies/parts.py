"""Dropout in a part of the network: with the guideline's rates at the later sites alone, or at the earlier ones.

Where there is time for a few candidates only, points drawn evenly lie mostly where rates are too high and tell little.
These, beside none and the guideline, say which part of the network wants dropout, each from half of all candidates: a
convolutional network, for one, often wants it in its dense layers alone. The first of them has twice the guideline's
rates, so that one candidate says whether more would be better still: where data are of another kind than the training
data, it may be.
"""

from __future__ import annotations

from collections.abc import Collection

from sukima.tuning.space import Point, Space

__all__ = ["parts"]

_CUTS = 2
"""Places at which the network is cut, at most."""

_MORE = 2.0
"""Times the guideline's rates, for the first point."""


def parts(space: Space) -> list[Point]:
    """The points, for rates in the order of their sites; none for a single rate."""
    usual, nothing = space.usual(), space.nothing()
    rates = [d.name for d in space.dimensions if d.field == "rate" and usual[d.name] != nothing[d.name]]

    def only(chosen: Collection[str], times: float = 1.0) -> Point:
        more = {name: space[name].nearest(times * float(usual[name])) for name in chosen}
        return usual | {name: more.get(name, nothing[name]) for name in rates}

    cuts = sorted({round(len(rates) * cut / (_CUTS + 1)) for cut in range(1, _CUTS + 1)} - {0, len(rates)})
    later = [only(rates[cut:], _MORE if cut == cuts[0] else 1.0) for cut in cuts]
    return later + [only(rates[:cut]) for cut in cuts]
