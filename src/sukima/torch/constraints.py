"""Constraints on the weights of a torch layer, put in force in place."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from sukima.base.checks import check_instance
from sukima.records.constraint import Constraint, MaxNorm, NonNegative, UnitNorm
from sukima.torch.weights import unit_norms, weights_of

__all__ = ["constrain", "constrain_weights"]


@torch.no_grad()
def constrain_weights(weights: Iterable[Tensor], constraint: Constraint, layer: nn.Module | None = None) -> None:
    """Make ``weights`` satisfy ``constraint``, in place; call it after each step of the optimizer.

    Norms are over the weights that go into one output unit: along the first axis of linear layers and convolutions,
    along the second of transposed convolutions, which ``layer`` tells.
    """
    for weight in weights:
        match constraint:
            case MaxNorm(limit=limit):
                view, norms, _ = unit_norms(weight, layer)
                view.mul_(torch.where(norms > limit, limit / norms, 1.0))
            case UnitNorm():
                view, norms, _ = unit_norms(weight, layer)
                view.mul_(torch.where(norms > 0, 1 / norms, 1.0))
            case NonNegative():
                weight.clamp_(min=0)


def constrain(model: nn.Module, constraint: Constraint) -> None:
    """`constrain_weights` for every weight matrix and kernel in ``model``.

    >>> layer = nn.Linear(3, 2)
    >>> constrain(layer, UnitNorm())
    >>> layer.weight.norm(dim=1).detach().round(decimals=4).tolist()
    [1.0, 1.0]
    """
    check_instance("model", model, nn.Module, "a torch.nn.Module")
    for module in model.modules():
        own = set(map(id, module.parameters(recurse=False)))
        constrain_weights([w for w in weights_of(module) if id(w) in own], constraint, module)
