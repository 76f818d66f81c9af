"""The guideline: which rates are usual at which place (Srivastava et al. 2014 and common teaching)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sukima.records.recipe import Recipe
from sukima.records.site import Place, Site

__all__ = ["GUIDELINE", "RateRange", "guideline_range", "guideline_recipe"]


class RateRange(NamedTuple):
    """The usual rates at a place, from ``low`` to ``high``."""

    low: float
    high: float

    @property
    def middle(self) -> float:
        """Where to begin when nothing else is known."""
        return round((self.low + self.high) / 2, 3)


GUIDELINE: dict[Place, RateRange] = {
    "input": RateRange(0.1, 0.2),
    "hidden": RateRange(0.3, 0.5),
    "convolution": RateRange(0.2, 0.3),
    "recurrent": RateRange(0.2, 0.5),
    "attention": RateRange(0.1, 0.2),
    "output": RateRange(0.0, 0.0),
}

WITH_BATCH_NORM = RateRange(0.2, 0.3)


def guideline_range(site: Site) -> RateRange:
    """The usual rates at ``site``; lower beside batch normalisation, which regularizes too."""
    usual = GUIDELINE[site.place]
    if site.batch_norm and usual.high > WITH_BATCH_NORM.high:
        return WITH_BATCH_NORM
    return usual


def guideline_recipe(sites: Iterable[Site]) -> Recipe:
    """The recipe with the middle of the usual range at every site."""
    return Recipe(rates={site.name: guideline_range(site).middle for site in sites})
