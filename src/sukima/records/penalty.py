"""Penalties: terms added to the loss, computed from a site's weights (not from its biases) or from what it gives."""

from __future__ import annotations

from typing import Literal

import msgspec

from sukima.base.checks import check_choice, check_number
from sukima.base.errors import InputError
from sukima.records.schedule import Constant, Schedule

__all__ = ["L1", "L2", "Activity", "ElasticNet", "Form", "GroupLasso", "Orthogonal", "Penalty"]

Form = Literal["loss", "proximal", "decoupled"]
"""How a penalty acts: as a term of the ``loss``; as a ``proximal`` step after the optimizer's, which gives exact zeros;
or ``decoupled``: its gradient, times the learning rate, is subtracted after the optimizer's step and goes round its
moments, as AdamW's weight decay does."""


class _Penalty(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="kind"
):
    """What all penalties share.

    Attributes:
        form: how it acts.
        schedule: how its strength changes during training.
    """

    form: Form = "loss"
    schedule: Schedule = Constant()

    def _check(self, *strengths: str, forms: tuple[str, ...] = ("loss", "proximal", "decoupled")) -> None:
        for name in strengths:
            number = check_number(name, getattr(self, name), minimum=0)
            msgspec.structs.force_setattr(self, name, number)  # a plain one, for the file formats
        check_choice("form", self.form, forms)
        if not isinstance(self.schedule, Schedule):
            raise InputError(
                "{name} must be one of {choices}, got {value}",
                name="schedule",
                choices=", ".join(kind.__name__ for kind in Schedule.__args__),
                value=repr(self.schedule),
            )


class L1(_Penalty, frozen=True, tag="l1"):
    """``strength`` times the sum of absolute weights; drives weights to zero."""

    strength: float

    def __post_init__(self) -> None:
        self._check("strength")


class L2(_Penalty, frozen=True, tag="l2"):
    """``strength`` times the sum of squared weights (no factor one half, as in Keras)."""

    strength: float

    def __post_init__(self) -> None:
        self._check("strength")


class ElasticNet(_Penalty, frozen=True, tag="elastic_net"):
    """``l1`` times the sum of absolute weights plus ``l2`` times the sum of squared ones (Zou & Hastie 2005)."""

    l1: float
    l2: float

    def __post_init__(self) -> None:
        self._check("l1", "l2")


class GroupLasso(_Penalty, frozen=True, tag="group_lasso"):
    """``strength`` times the sum over groups of root(size) times the group's norm (Yuan & Lin 2006).

    A group is the weights of one ``"output"`` unit or of one ``"input"``; as a whole it becomes zero or does not.
    """

    strength: float
    groups: Literal["output", "input"] = "output"

    def __post_init__(self) -> None:
        self._check("strength")
        check_choice("groups", self.groups, ("output", "input"))


class Orthogonal(_Penalty, frozen=True, tag="orthogonal"):
    """``strength`` times the squared distance of W Wᵀ (or Wᵀ W, the smaller) from the identity (Bansal et al. 2018)."""

    strength: float

    def __post_init__(self) -> None:
        self._check("strength", forms=("loss", "decoupled"))


class Activity(_Penalty, frozen=True, tag="activity"):
    """``strength`` times the sum of a site's absolute (``order`` 1) or squared (2) outputs, over the batch size."""

    strength: float
    order: Literal[1, 2] = 1

    def __post_init__(self) -> None:
        self._check("strength", forms=("loss",))
        if self.order not in (1, 2) or isinstance(self.order, bool):
            raise InputError(
                "{name} must be one of {choices}, got {value}", name="order", choices="1, 2", value=repr(self.order)
            )


Penalty = L1 | L2 | ElasticNet | GroupLasso | Orthogonal | Activity
