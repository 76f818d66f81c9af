"""Where a stack's parameters lie: one row of memory for each member."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sukima.engines.stacked.unstackable import UnstackableError

__all__ = ["LINE", "Storage", "empty_rows"]

LINE = 64
"""Bytes to which torch aligns a tensor. Where a matrix begins elsewhere, libraries may round its products otherwise."""


def empty_rows(shape: Sequence[int], like: Tensor) -> Tensor:
    """A new tensor (members, …) in which each member's part begins where a tensor of its own would: on a line."""
    members, *rest = shape
    size = math.prod(rest)
    flat = torch.empty(members, _whole_lines(size, like), dtype=like.dtype, device=like.device)
    return flat[:, :size].view(shape)


def _whole_lines(size: int, like: Tensor) -> int:
    line = LINE // like.element_size()
    return -(-size // line) * line


class Storage:
    """Parameters and gradients of networks that are built alike.

    The networks' own parameters become views of it: what a step changes here has changed there.

    Raises:
        UnstackableError: parameters are frozen, shared between layers, or not all of one type.
    """

    def __init__(self, models: Sequence[nn.Module]) -> None:
        _check(models)
        self._models = list(models)
        named = list(models[0].named_parameters())
        self.names = [name for name, _ in named]
        self._shapes = [parameter.shape for _, parameter in named]
        self._starts, width = [], 0
        for _, parameter in named:
            self._starts.append(width)
            width += _whole_lines(parameter.numel(), parameter)
        like = named[0][1]
        rows = torch.zeros(len(models), width, dtype=like.dtype, device=like.device)
        for row, model in zip(rows, models, strict=True):
            for start, parameter in zip(self._starts, model.parameters(), strict=True):
                row[start : start + parameter.numel()] = parameter.detach().reshape(-1)
        self._take(rows)

    def _take(self, rows: Tensor) -> None:
        self._rows, self._gradients = rows, torch.zeros_like(rows)
        self.parameters = self._views(rows)
        self.gradients = self._views(self._gradients)
        for index, model in enumerate(self._models):
            for parameter, stacked in zip(model.parameters(), self.parameters, strict=True):
                parameter.data = stacked[index]

    def _views(self, rows: Tensor) -> list[Tensor]:
        shapes = zip(self._starts, self._shapes, strict=True)
        return [rows[:, start : start + math.prod(shape)].view(-1, *shape) for start, shape in shapes]

    def pair(self, name: str) -> tuple[Tensor, Tensor]:
        """The parameter of that name for all members, and its gradient."""
        index = self.names.index(name)
        return self.parameters[index], self.gradients[index]

    def select(self, kept: Sequence[int]) -> None:
        """Go on with these members only."""
        self._models = [self._models[index] for index in kept]
        self._take(self._rows[list(kept)])


def _check(models: Sequence[nn.Module]) -> None:
    first = models[0]
    if len(list(first.named_parameters(remove_duplicate=False))) != len(list(first.parameters())):
        raise UnstackableError("layers share parameters")
    if not all(parameter.requires_grad for model in models for parameter in model.parameters()):
        raise UnstackableError("some parameters are frozen")
    if len({(p.dtype, p.device) for p in first.parameters()}) != 1:
        raise UnstackableError("the parameters are of different types")
    shapes = [[(name, p.shape) for name, p in model.named_parameters()] for model in models]
    if any(each != shapes[0] for each in shapes):
        raise UnstackableError("the models differ")
