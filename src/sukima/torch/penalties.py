"""Penalties on the weights of a torch layer: as a term of the loss, as a proximal step, or decoupled."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from sukima.base.checks import check_number
from sukima.base.errors import InputError
from sukima.records.penalty import L1, L2, Activity, ElasticNet, GroupLasso, Orthogonal, Penalty
from sukima.torch.weights import unit_norms

__all__ = ["activity_penalty", "decoupled_step", "penalty", "proximal_step"]


def penalty(weights: Iterable[Tensor], which: Penalty, layer: nn.Module | None = None) -> Tensor:
    """The term to add to the loss for these weights, as a differentiable zero-dimensional tensor.

    Args:
        weights: weight matrices and kernels.
        which: the penalty; its form and schedule are not looked at here.
        layer: the layer whose weights they are, which tells outputs from inputs where that matters.

    Raises:
        InputError: an activity penalty, which is not one of weights.

    >>> penalty([torch.tensor([[3.0, -4.0]])], L1(0.5))
    tensor(3.5000)
    """
    total = torch.zeros(())
    for weight in weights:
        term = _term(weight, which, layer)
        total = total.to(term) + term
    return total


def _term(weight: Tensor, which: Penalty, layer: nn.Module | None) -> Tensor:
    match which:
        case L1(strength=strength):
            return strength * weight.abs().sum()
        case L2(strength=strength):
            return strength * weight.square().sum()
        case ElasticNet(l1=l1, l2=l2):
            return l1 * weight.abs().sum() + l2 * weight.square().sum()
        case GroupLasso(strength=strength, groups=side):
            _, norms, size = unit_norms(weight, layer, side)
            return norms.sum() * (strength * math.sqrt(size))
        case Orthogonal(strength=strength):
            matrix = weight.flatten(1)
            gram = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
            apart: Tensor = gram - torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
            return strength * apart.square().sum()
        case Activity():
            raise InputError("an activity penalty acts on what a layer gives, not on weights: use activity_penalty")


def activity_penalty(output: Tensor, which: Activity) -> Tensor:
    """The term for what a layer gave, (N, …): its absolute or squared sum times the strength, over N."""
    size = max(len(output), 1) if output.dim() else 1
    return which.strength * (output.abs() if which.order == 1 else output.square()).sum() / size


@torch.no_grad()
def proximal_step(
    weights: Iterable[Tensor], which: Penalty, learning_rate: float, layer: nn.Module | None = None
) -> None:
    """Shrink ``weights`` in place by the penalty's proximal map, after a step of the optimizer on the rest of the loss.

    L1 moves each weight towards 0 by learning rate × strength and stops there: exact zeros, which a gradient never
    gives. Group lasso does this to the norm of each group, elastic net and L2 also divide by
    1 + 2 × learning rate × strength.

    Raises:
        InputError: a penalty that has no such map, or a learning rate below 0.

    Paper: Parikh & Boyd, Proximal Algorithms, 2014.

    >>> weight = torch.tensor([[3.0, 0.05]])
    >>> proximal_step([weight], L1(1.0), learning_rate=0.1)
    >>> weight
    tensor([[2.9000, 0.0000]])
    """
    step = check_number("learning_rate", learning_rate, minimum=0)
    for weight in weights:
        match which:
            case L1(strength=strength):
                _towards_zero(weight, step * strength)
            case L2(strength=strength):
                weight.div_(1 + 2 * step * strength)
            case ElasticNet(l1=l1, l2=l2):
                _towards_zero(weight, step * l1)
                weight.div_(1 + 2 * step * l2)
            case GroupLasso(strength=strength, groups=side):
                view, norms, size = unit_norms(weight, layer, side)
                left = (norms - step * strength * size**0.5).clamp(min=0)
                view.mul_(torch.where(left > 0, left / norms, 0.0))
            case _:
                raise InputError("{kind} has no proximal step", kind=type(which).__name__)


def _towards_zero(weight: Tensor, amount: float) -> None:
    weight.copy_(torch.nn.functional.softshrink(weight, amount))


def decoupled_step(
    weights: Iterable[Tensor], which: Penalty, learning_rate: float, layer: nn.Module | None = None
) -> None:
    """Subtract learning rate × the penalty's gradient from ``weights``, in place, after the optimizer's step.

    With plain SGD that is the same as a term of the loss. With an optimizer that divides by the size of past gradients
    (Adam and its kin) it is not: there a term of the loss is divided too, and weights with large gradients are hardly
    penalised. The decoupled form of ``L2(s)`` is AdamW's weight decay of 2 s.

    Paper: Loshchilov & Hutter, Decoupled Weight Decay Regularization, ICLR 2019.
    """
    step = check_number("learning_rate", learning_rate, minimum=0)
    for weight in weights:
        twin = weight.detach().requires_grad_()
        with torch.enable_grad():
            (gradient,) = torch.autograd.grad(penalty([twin], which, layer), twin)
        with torch.no_grad():
            weight.sub_(gradient, alpha=step)
