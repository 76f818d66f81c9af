"""A dimension: one thing that varies in a space, what it may be, and how it is put in a recipe."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import msgspec

from sukima.base.checks import check_choice, shown
from sukima.base.errors import InputError
from sukima.records.constraint import MaxNorm
from sukima.records.penalty import L1, L2, ElasticNet, Penalty
from sukima.records.recipe import ALL_SITES, Recipe
from sukima.records.schedule import Constant, Early, Late, Schedule

__all__ = ["VALUES", "Dimension", "Field", "Value"]

Value = bool | int | float | str
"""What a dimension may be set to."""

Field = Literal[
    "rate", "l1", "l2", "elastic_net", "max_norm", "weight_decay", "label_smoothing", "input_noise", "mixup",
    "schedule", "early_stopping", "option",
]  # fmt: skip
"""What of a recipe a dimension sets."""

_STRENGTHS = (0.0, 1e-6, 3e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2)
VALUES: dict[Field, tuple[Value, ...]] = {
    "rate": tuple(round(0.05 * step, 2) for step in range(19)),
    "l1": _STRENGTHS,
    "l2": _STRENGTHS,
    "elastic_net": _STRENGTHS,
    "max_norm": (0.0, 1.0, 2.0, 3.0, 4.0, 5.0),
    "weight_decay": (0.0, 1e-5, 1e-4, 1e-3, 1e-2, 3e-2, 1e-1, 3e-1),
    "label_smoothing": (0.0, 0.05, 0.1, 0.15, 0.2),
    "input_noise": (0.0, 0.05, 0.1, 0.2, 0.3),
    "mixup": (0.0, 0.1, 0.2, 0.4),
    "schedule": ("constant", "early", "late"),
    "early_stopping": (0, 3, 5, 10, 20),
}
"""What a field may be by default, from low to high where there is an order."""

_SCHEDULES: dict[str, Schedule] = {"constant": Constant(), "early": Early(), "late": Late()}
_PENALTIES: dict[str, Callable[[float], Penalty]] = {"l1": L1, "l2": L2, "elastic_net": lambda s: ElasticNet(s, s)}
_USUAL_VALUES: tuple[Value, ...] = ("usual",)


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """One thing that varies.

    Attributes:
        name: what it is called; of an ``option``, the argument of the model factory that it is.
        field: what of the recipe it sets.
        values: what it may be, from low to high where there is an order; by default what is usual for the field (an
            ``option`` has no default). 0 means without.
        sites: where it acts, for rates and schedules (a rate's sites), penalties and constraints (weight layers or
            patterns); ``("*",)`` is everywhere.
        usual: the value to begin with.
    """

    name: str
    field: Field
    values: tuple[Value, ...] = _USUAL_VALUES
    sites: tuple[str, ...] = (ALL_SITES,)
    usual: Value | None = None

    def __post_init__(self) -> None:
        check_choice("field", self.field, get_args(Field))
        values = VALUES.get(self.field, ()) if self.values is _USUAL_VALUES else tuple(self.values)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "sites", tuple(self.sites))
        if len(set(values)) != len(values) or not values:
            raise InputError(
                "{name}: values must be different and at least one, got {values}", name=self.name, values=shown(values)
            )
        if self.usual is not None and self.usual not in values:
            raise InputError(
                "{name}: usual must be one of the values {values}, got {value}",
                name=self.name,
                values=shown(values),
                value=shown(self.usual),
            )
        for value in values:
            try:
                self.put(Recipe(), value)
            except (TypeError, ValueError, KeyError) as error:  # InputError is a ValueError
                why = error.message if isinstance(error, InputError) else shown(value)
                raise InputError(
                    "{name}: {value} cannot be used: {why}", name=self.name, value=value, why=why
                ) from None

    @property
    def step(self) -> float | None:
        """The distance from value to value, where it is the same for all; else ``None``."""
        if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in self.values):
            return None
        numbers = [float(value) for value in self.values]
        steps = [second - first for first, second in itertools.pairwise(numbers)]
        even = steps and steps[0] > 0 and all(math.isclose(step, steps[0], rel_tol=1e-6) for step in steps)
        return round(steps[0], 12) if even else None

    def nearest(self, wanted: float) -> Value:
        """The value, of numbers, that is nearest."""
        return min(self.values, key=lambda value: abs(float(value) - wanted))

    def put(self, recipe: Recipe, value: Value) -> Recipe:
        """``recipe`` with this dimension at ``value``."""
        if self.field == "rate":
            return recipe.with_rates({**recipe.rates, **dict.fromkeys(self.sites, float(value))})
        if self.field == "option":
            return msgspec.structs.replace(recipe, options={**recipe.options, self.name: value})
        if self.field == "schedule":
            chosen = {} if value == "constant" else dict.fromkeys(self.sites, _SCHEDULES[str(value)])
            return msgspec.structs.replace(recipe, schedules={**_without(recipe.schedules, self.sites), **chosen})
        if self.field in _PENALTIES:
            penalty = dict.fromkeys(self.sites, _PENALTIES[self.field](float(value))) if value else {}
            # A site has one penalty; the last dimension that is not 0 has its way.
            return msgspec.structs.replace(recipe, penalties={**recipe.penalties, **penalty})
        if self.field == "max_norm":
            limit = dict.fromkeys(self.sites, MaxNorm(float(value))) if value else {}
            return msgspec.structs.replace(recipe, constraints={**_without(recipe.constraints, self.sites), **limit})
        if self.field == "early_stopping":
            return msgspec.structs.replace(recipe, early_stopping=int(value) or None)
        if self.field == "weight_decay":
            return msgspec.structs.replace(recipe, weight_decay=float(value) or None)
        return msgspec.structs.replace(recipe, **{self.field: float(value)})


def _without(table: Mapping[str, object], sites: Sequence[str]) -> dict[str, object]:
    return {name: value for name, value in table.items() if name not in sites}
