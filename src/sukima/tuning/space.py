"""The space: what a search may vary, derived from a model's sites; narrowed or extended in a few lines."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from sukima.base.checks import check_choice, check_instance
from sukima.base.errors import InputError
from sukima.records.guideline import guideline_range
from sukima.records.recipe import ALL_SITES, Recipe
from sukima.records.site import Site
from sukima.tuning.dimension import VALUES, Dimension, Field, Value

__all__ = ["Breadth", "Point", "Sharing", "Space"]

Point = dict[str, Value]
"""Dimension → value: one place in a space."""

Sharing = Literal["shared", "kind", "each"]
"""Whether all sites have one rate, those at one kind of place, or each its own."""

Breadth = Literal["rates", "usual", "full"]
"""How much varies: rates alone; weight decay, max-norm and label smoothing as well; all that recipes hold."""

_BROAD: dict[Breadth, tuple[Field, ...]] = {
    "rates": (),
    "usual": ("weight_decay", "max_norm", "label_smoothing"),
    "full": (
        *("weight_decay", "max_norm", "label_smoothing", "l1", "l2", "elastic_net", "schedule", "early_stopping"),
        *("input_noise", "mixup"),
    ),
}
_EMPTY = Recipe()


@dataclass(frozen=True)
class Space:
    """What a search may vary, and what all its candidates have.

    Attributes:
        dimensions: what varies.
        base: the recipe in which the dimensions are put.
    """

    dimensions: tuple[Dimension, ...]
    base: Recipe = _EMPTY

    def __post_init__(self) -> None:
        object.__setattr__(self, "dimensions", tuple(self.dimensions))
        for dimension in self.dimensions:
            check_instance("dimensions", dimension, Dimension)
        names = [dimension.name for dimension in self.dimensions]
        if doubled := {name for name in names if names.count(name) > 1}:
            raise InputError("dimensions must have different names, got {name} twice", name=repr(min(doubled)))
        if not self.dimensions:
            raise InputError("a space must have at least one dimension, got none")

    @classmethod
    def of(
        cls,
        sites: Sequence[Site] | Mapping[str, Site],
        *,
        rates: Sharing | None = None,
        breadth: Breadth = "rates",
        classification: bool = True,
    ) -> Space:
        """The space of a model.

        Rates go from 0 to 0.9, to 0.5 beside batch norm, and stay 0 after the output layer; searches begin with the
        guideline's.

        Args:
            sites: the model's sites, as `sukima.sites` gives them.
            rates: whether sites share a rate; by default each has its own up to four, more share it by their kind of
                place.
            breadth: what else varies.
            classification: whether the loss is cross entropy, so that labels can be smoothed.

        Raises:
            InputError: no site for dropout where only rates vary.
        """
        found = list(sites.values()) if isinstance(sites, Mapping) else list(sites)
        check_choice("breadth", breadth, get_args(Breadth))
        inner = [site for site in found if site.place != "output"]
        sharing = rates or ("each" if len(inner) <= _MANY else "kind")
        check_choice("rates", sharing, get_args(Sharing))
        groups: dict[str, list[Site]] = {}
        for site in inner:
            groups.setdefault({"shared": "rate", "kind": site.place, "each": site.name}[sharing], []).append(site)
        dimensions = [_rate(name, group) for name, group in groups.items()]
        extra = [field for field in _BROAD[breadth] if classification or field != "label_smoothing"]
        rated = tuple(site.name for site in inner)
        for field in extra:
            if field != "schedule" or rated:
                where = rated if field == "schedule" else (ALL_SITES,)
                dimensions.append(Dimension(name=field, field=field, sites=where, usual=VALUES[field][0]))
        return cls(tuple(dimensions), Recipe(rates={site.name: 0.0 for site in found}))

    @property
    def names(self) -> list[str]:
        """The names of its dimensions."""
        return [dimension.name for dimension in self.dimensions]

    @property
    def size(self) -> int:
        """How many points it has."""
        return math.prod(len(dimension.values) for dimension in self.dimensions)

    def __getitem__(self, name: str) -> Dimension:
        for dimension in self.dimensions:
            if dimension.name == name:
                return dimension
        raise InputError(
            "{name} must be one of {choices}, got {value}",
            name="dimension",
            choices=", ".join(map(repr, self.names)),
            value=repr(name),
        )

    def narrow(self, name: str, low: float, high: float) -> Space:
        """This space with the numbers of one dimension kept between ``low`` and ``high``."""
        kept = tuple(v for v in self[name].values if isinstance(v, int | float) and low <= v <= high)
        return self.with_values(name, kept)

    def with_values(self, name: str, values: Sequence[Value]) -> Space:
        """This space with other values of one dimension."""
        usual = self[name].usual
        changed = replace(self[name], values=tuple(values), usual=usual if usual in values else None)
        return replace(self, dimensions=tuple(changed if d.name == name else d for d in self.dimensions))

    def without(self, *names: str) -> Space:
        """This space without these dimensions."""
        for name in names:
            self[name]
        return replace(self, dimensions=tuple(d for d in self.dimensions if d.name not in names))

    def plus(self, *dimensions: Dimension) -> Space:
        """This space with more dimensions."""
        return replace(self, dimensions=(*self.dimensions, *dimensions))

    def recipe(self, point: Mapping[str, Value]) -> Recipe:
        """The recipe at a point; what the point does not name is as in the base."""
        recipe = self.base
        for dimension in self.dimensions:
            if dimension.name in point:
                recipe = dimension.put(recipe, point[dimension.name])
        return recipe

    def nothing(self) -> Point:
        """The point where nothing regularizes, as far as the space reaches."""
        return {d.name: 0.0 if 0 in d.values and d.field != "option" else d.values[0] for d in self.dimensions}

    def usual(self) -> Point:
        """Where a search begins: the guideline's rates, and nothing besides."""
        return {d.name: d.values[0] if d.usual is None else d.usual for d in self.dimensions}

    def near(self, recipe: Recipe) -> Point:
        """The point whose rates, decay and smoothing are nearest to a recipe's; the rest as a search begins."""
        point = self.usual()
        for dimension in self.dimensions:
            if dimension.field == "rate":
                rates = [recipe.rates[site] for site in dimension.sites if site in recipe.rates]
                wanted = statistics.fmean(rates) if rates else None
            elif dimension.field in ("weight_decay", "label_smoothing", "early_stopping", "input_noise", "mixup"):
                wanted = getattr(recipe, dimension.field) or 0.0
            else:
                continue
            if wanted is not None:
                point[dimension.name] = dimension.nearest(wanted)
        return point

    def grid(self, most: int) -> Iterator[Point]:
        """At most ``most`` points (at least one), spread over the space as evenly as the numbers of values allow."""
        counts = [1] * len(self.dimensions)
        while True:  # refine the coarsest dimension while the grid stays small enough
            open_ = [i for i, d in enumerate(self.dimensions) if counts[i] < len(d.values)]
            grown = next(
                (
                    i
                    for i in sorted(open_, key=lambda i: counts[i] / len(self.dimensions[i].values))
                    if math.prod(counts) // counts[i] * (counts[i] + 1) <= most
                ),
                None,
            )
            if grown is None:
                break
            counts[grown] += 1
        chosen = [_spread(d, count) for d, count in zip(self.dimensions, counts, strict=True)]
        for values in itertools.product(*chosen):
            yield dict(zip(self.names, values, strict=True))


_MANY = 4
"""Sites up to which each has a rate of its own by default."""


def _rate(name: str, group: Sequence[Site]) -> Dimension:
    normed = any(site.batch_norm for site in group)
    values = tuple(rate for rate in VALUES["rate"] if float(rate) <= (0.5 if normed else 0.9))
    middle = min(guideline_range(site).middle for site in group)
    usual = min(values, key=lambda rate: abs(float(rate) - middle))
    called = name if name == "rate" else f"rate {name}"
    return Dimension(name=called, field="rate", values=values, sites=tuple(s.name for s in group), usual=usual)


def _spread(dimension: Dimension, count: int) -> list[Value]:
    """So many of its values, from end to end; the usual one where there is only one."""
    if count == 1:
        return [dimension.values[0] if dimension.usual is None else dimension.usual]
    last = len(dimension.values) - 1
    return [dimension.values[round(index * last / (count - 1))] for index in range(count)]
