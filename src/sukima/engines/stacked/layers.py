"""Layers for a stack: every tensor has the members as its first axis.

Each gives for a member the bits that the member's own layer would give alone, so that a stack changes nothing but the
time.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx
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
        y: Tensor = _Product.apply(x.flatten(1, -2), self.weight, self.bias)  # type: ignore[no-untyped-call]  # torch's
        return y if x.ndim == 3 else torch.unflatten(y, 1, x.shape[1:-1])

    def select(self, kept: Sequence[int]) -> None:
        self.weight.data = self.weight.data[kept]  # the parameter stays, for an optimizer that knows it
        if self.bias is not None:
            self.bias.data = self.bias.data[kept]

    def member(self, index: int) -> dict[str, Tensor]:
        found = {"weight": self.weight[index]}
        if self.bias is not None:
            found["bias"] = self.bias[index]
        return found


class _Product(torch.autograd.Function):
    """x · weightᵀ + bias for every member; forward and backward are those of ``nn.Linear``, to the bit."""

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _multiplied(x, weight.mT, bias)

    @staticmethod
    def backward(ctx: FunctionCtx, *grads: Tensor) -> tuple[Tensor | None, Tensor, Tensor | None]:
        x, weight = ctx.saved_tensors  # type: ignore[attr-defined]  # of the context that torch passes
        grad = grads[0].contiguous()
        wanted = ctx.needs_input_grad  # type: ignore[attr-defined]  # as above
        of_x = _multiplied(grad, weight) if wanted[0] else None
        return of_x, _multiplied(grad.mT, x), grad.sum(1) if wanted[2] else None


_LINE = 64
"""Bytes to which torch aligns a tensor. Where a matrix begins elsewhere, libraries may round otherwise."""


def _multiplied(a: Tensor, b: Tensor, bias: Tensor | None = None) -> Tensor:
    """The members' products, in one call where each member's matrices lie in memory as they would alone."""
    rows, columns = a.shape[1], b.shape[2]
    if all(step * a.element_size() % _LINE == 0 for step in (a.stride(0), b.stride(0), rows * columns)):
        return torch.bmm(a, b) if bias is None else torch.baddbmm(bias.unsqueeze(1), a, b)
    pairs = list(zip(_apart(a), _apart(b), strict=True))
    if bias is None:
        return torch.stack([torch.mm(left, right) for left, right in pairs])
    return torch.stack([torch.addmm(c, left, right) for c, (left, right) in zip(bias.unbind(0), pairs, strict=True)])


def _apart(matrices: Tensor) -> list[Tensor]:
    """Each member's matrix at the beginning of memory of its own, in the layout that it has."""
    return [
        torch.empty_strided(m.shape, m.stride(), dtype=m.dtype, device=m.device).copy_(m) for m in matrices.unbind(0)
    ]


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
    def forward(ctx: FunctionCtx, x: Tensor, keys: list[MaskKey], rates: list[float]) -> Tensor:
        ctx.mask = keys, rates  # type: ignore[attr-defined]  # a context takes any attribute
        return kernels.masked_rows(x, None, 0, keys, rates)

    @staticmethod
    def backward(ctx: FunctionCtx, *grads: Tensor) -> tuple[Tensor, None, None]:
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
# Their vectorised and their scalar form round differently, so that where a row lies in memory matters.
_UNEVEN = (nn.Sigmoid, nn.SiLU, nn.Mish, nn.ELU, nn.CELU, nn.SELU, nn.Softplus)


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
    return Folded(copy.deepcopy(first)) if _folds(first) else Each(layers)


def _folds(layer: nn.Module) -> bool:
    """Whether it treats each row by itself, without parameters, alike wherever the row lies."""
    known = isinstance(layer, _ROWWISE) or type(layer).__module__ in _ROWWISE_FILES
    if not known or isinstance(layer, _UNEVEN) or any(True for _ in layer.parameters()):
        return False
    across = layer.start_dim if isinstance(layer, nn.Flatten) else getattr(layer, "dim", 1)
    return across not in (0, "0", None)
