"""Layers for a stack: every tensor has the members as its first axis.

Each gives for a member the bits that the member's own layer would give alone, so that a stack changes nothing but the
time.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.modules import activation, flatten, padding, pooling

from sukima.engines.stacked.members import Members
from sukima.masks.key import MaskKey
from sukima.torch import kernels
from sukima.torch.channel import Dropout1d, Dropout2d, Dropout3d, dropout1d, dropout2d, dropout3d
from sukima.torch.dropout import Dropout
from sukima.torch.layers import dropout_kind

__all__ = ["Channels", "Each", "Folded", "Linear", "StackedLayer", "Units", "UnstackableError", "stack_layer"]


class UnstackableError(Exception):
    """Why a model cannot be trained as a stack; the caller trains its members one after another instead."""


class StackedLayer(nn.Module):
    """A layer of a stack."""

    def select(self, kept: Sequence[int]) -> None:
        """Go on with these members only."""

    def member(self, index: int) -> dict[str, Tensor]:
        """The parameters and buffers of one member, by their names in its own layer."""
        return {}

    def parameter_of_all(self, name: str) -> list[Tensor]:
        """What holds the parameter of that name for all members."""
        return [self.get_parameter(name)]


class Linear(StackedLayer):
    """One matrix a member, multiplied in one call."""

    def __init__(self, layers: Sequence[nn.Linear]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.stack([layer.weight.detach() for layer in layers]))
        biases = [layer.bias.detach() for layer in layers if layer.bias is not None]
        self.bias = nn.Parameter(torch.stack(biases)) if biases else None

    def forward(self, x: Tensor) -> Tensor:
        rows = x.flatten(1, -2)
        if self.bias is None:
            y = torch.bmm(rows, self.weight.mT)
        else:
            y = torch.baddbmm(self.bias.unsqueeze(1), rows, self.weight.mT)
        return y.unflatten(1, x.shape[1:-1]) if x.ndim != 3 else y

    def select(self, kept: Sequence[int]) -> None:
        self.weight = nn.Parameter(self.weight.detach()[kept])
        if self.bias is not None:
            self.bias = nn.Parameter(self.bias.detach()[kept])

    def member(self, index: int) -> dict[str, Tensor]:
        found = {"weight": self.weight[index]}
        if self.bias is not None:
            found["bias"] = self.bias[index]
        return found


class Each(StackedLayer):
    """One layer a member, called one after another: convolutions, norms, and whatever else has parameters.

    On a CPU a grouped convolution takes longer than its parts (0.6 times the speed was measured).
    """

    def __init__(self, layers: Sequence[nn.Module]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([layer(part) for layer, part in zip(self.layers, x.unbind(0), strict=True)])

    def select(self, kept: Sequence[int]) -> None:
        self.layers = nn.ModuleList([self.layers[index] for index in kept])

    def member(self, index: int) -> dict[str, Tensor]:
        return dict(self.layers[index].state_dict())

    def parameter_of_all(self, name: str) -> list[Tensor]:
        return [layer.get_parameter(name) for layer in self.layers]


class Folded(StackedLayer):
    """A layer without parameters that treats each row by itself: all members' rows at once."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layer(x.flatten(0, 1))
        return torch.unflatten(y, 0, x.shape[:2])


class Units(StackedLayer):
    """Dropout of units: each member by its own rate and key."""

    def __init__(self, site: str, members: Members) -> None:
        super().__init__()
        self._site, self._members = site, members

    def forward(self, x: Tensor) -> Tensor:
        rates = self._members.rates(self._site)
        if not self.training or not any(rates):
            return x
        out: Tensor = _Rows.apply(x, self._members.draw(rates), rates)  # type: ignore[no-untyped-call]  # torch's own
        return out


class _Rows(torch.autograd.Function):
    """A mask a member; keeps keys alone for the backward pass."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, x: Tensor, keys: list[MaskKey], rates: list[float]) -> Tensor:
        ctx.mask = keys, rates  # type: ignore[attr-defined]  # a context takes any attribute
        return kernels.masked_rows(x, None, 0, keys, rates)

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, *grads: Tensor) -> tuple[Tensor, None, None]:
        return kernels.masked_rows(grads[0], None, 0, *ctx.mask), None, None  # type: ignore[attr-defined]  # as above


_CHANNELWISE = {3: dropout1d, 4: dropout2d, 5: dropout3d}


class Channels(Units):
    """Dropout of whole channels: each member by its own rate and key."""

    def forward(self, x: Tensor) -> Tensor:
        rates = self._members.rates(self._site)
        if not self.training or not any(rates):
            return x
        if x.ndim - 1 not in _CHANNELWISE:
            return super().forward(x)
        drop = _CHANNELWISE[x.ndim - 1]
        parts = zip(x.unbind(0), rates, self._members.draw(rates), strict=True)
        return torch.stack([drop(part, rate, key=key) if rate else part for part, rate, key in parts])


_ROWWISE = (nn.Flatten, nn.Unflatten, nn.Identity)
_ROWWISE_FILES = {activation.__name__, pooling.__name__, padding.__name__, flatten.__name__}


def stack_layer(name: str, layers: Sequence[nn.Module], members: Members) -> StackedLayer:
    """The stacked form of one layer of every member.

    Raises:
        UnstackableError: it has dropout of a kind that a stack does not know.
    """
    first = layers[0]
    if type(first) is Dropout and first.form == "inverted":
        return Units(name, members)
    if type(first) in (Dropout1d, Dropout2d, Dropout3d):
        return Channels(name, members)
    if any(dropout_kind(module) is not None for module in first.modules()):
        raise UnstackableError(f"{name}: {type(first).__name__} has dropout of its own")
    if type(first) is nn.Linear:
        return Linear([layer for layer in layers if isinstance(layer, nn.Linear)])
    rowwise = isinstance(first, _ROWWISE) or type(first).__module__ in _ROWWISE_FILES
    if rowwise and not any(True for _ in first.parameters()) and not _looks_across(first):
        return Folded(copy.deepcopy(first))
    return Each(layers)


def _looks_across(layer: nn.Module) -> bool:
    """Whether it may mix rows, so that members must be kept apart: softmax over the batch, flattening of it."""
    if isinstance(layer, nn.Flatten):
        return layer.start_dim == 0
    if isinstance(layer, nn.Unflatten):
        return layer.dim in (0, "0")
    return getattr(layer, "dim", 1) in (0, None)
