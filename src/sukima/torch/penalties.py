"""Penalties on the weights of a torch layer."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from sukima.records.penalty import L1, L2, ElasticNet, Penalty

__all__ = ["penalty", "weights_of"]


def weights_of(module: nn.Module) -> list[nn.Parameter]:
    """The weight matrices and kernels in ``module``: biases and the scales of norms are not penalised."""
    return [parameter for parameter in module.parameters() if parameter.ndim >= 2]


def penalty(weights: Iterable[Tensor], which: Penalty) -> Tensor:
    """The term to add to the loss for these weights, as a differentiable zero-dimensional tensor."""
    total = torch.zeros(())
    for weight in weights:
        match which:
            case L1(strength=strength):
                term = strength * weight.abs().sum()
            case L2(strength=strength):
                term = strength * weight.square().sum()
            case ElasticNet(l1=l1, l2=l2):
                term = l1 * weight.abs().sum() + l2 * weight.square().sum()
        total = total.to(term) + term
    return total
