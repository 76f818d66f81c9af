"""Constraints: what a site's weights must satisfy after each optimizer step."""

from __future__ import annotations

import msgspec

from sukima.base.checks import check_number

__all__ = ["Constraint", "MaxNorm", "NonNegative", "UnitNorm"]


class MaxNorm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="max_norm"):
    """The norm of the weights that go into each output unit is at most ``limit`` (Srebro & Shraibman 2005)."""

    limit: float = 3.0

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "limit", check_number("limit", self.limit, above=0))


class UnitNorm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="unit_norm"):
    """The norm of the weights that go into each output unit is 1; weights that are all 0 stay so."""


class NonNegative(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="non_negative"):
    """No weight is below 0."""


Constraint = MaxNorm | UnitNorm | NonNegative
