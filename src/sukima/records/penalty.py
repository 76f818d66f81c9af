"""Penalties: terms added to the loss, computed from a site's weights (not from its biases)."""

from __future__ import annotations

import msgspec

from sukima.base.checks import check_number

__all__ = ["L1", "L2", "ElasticNet", "Penalty"]


class L1(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="l1"):
    """``strength`` times the sum of absolute weights; drives weights to zero."""

    strength: float

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "strength", check_number("strength", self.strength, minimum=0))


class L2(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="l2"):
    """``strength`` times the sum of squared weights (no factor one half, as in Keras)."""

    strength: float

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "strength", check_number("strength", self.strength, minimum=0))


class ElasticNet(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="elastic_net"):
    """``l1`` times the sum of absolute weights plus ``l2`` times the sum of squared ones."""

    l1: float
    l2: float

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "l1", check_number("l1", self.l1, minimum=0))
        msgspec.structs.force_setattr(self, "l2", check_number("l2", self.l2, minimum=0))


Penalty = L1 | L2 | ElasticNet
