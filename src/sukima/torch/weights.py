"""How a layer's weights divide into the weights of each output unit, or of each input."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvTransposeNd

__all__ = ["owners_of", "unit_norms", "weights_of"]


def weights_of(module: nn.Module) -> list[nn.Parameter]:
    """The weight matrices and kernels in ``module``: biases and the scales of norms are not penalised."""
    return [parameter for parameter in module.parameters() if parameter.ndim >= 2]


def owners_of(model: nn.Module) -> dict[int, nn.Module]:
    """The id of each parameter, with the module that holds it."""
    return {id(p): module for module in model.modules() for p in module.parameters(recurse=False)}


def unit_norms(weight: Tensor, layer: nn.Module | None = None, side: str = "output") -> tuple[Tensor, Tensor, int]:
    """A view of ``weight``, the norm of each unit's weights in a shape that broadcasts to it, and how many those are.

    The unit's axis is the first, but for inputs the second, and the other way round in transposed convolutions; with
    groups of channels it is both together.
    """
    transposed = isinstance(layer, _ConvTransposeNd)
    first, rest = weight.shape[0], math.prod(weight.shape[1:])
    if weight.dim() < 2 or (side == "output") != transposed:
        view = weight.view(first, rest)
        dims: tuple[int, ...] = (1,)
    else:
        groups = getattr(layer, "groups", 1)
        second = weight.shape[1]
        view, dims = weight.view(groups, first // groups, second, rest // max(second, 1)), (1, 3)
    norms = torch.linalg.vector_norm(view, dim=dims, keepdim=True)  # its gradient at 0 is 0
    return view, norms, view.numel() // max(norms.numel(), 1)
