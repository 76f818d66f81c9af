"""The layers of a stack, forward and backward: every tensor has the members as its first axis.

Each gives for a member the bits that the member's own layer would give alone, so that a stack changes nothing but the
time. Backward passes are written out where a network spends its time; buffers are made once.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sukima.engines.stacked.masks import SiteMasks
from sukima.engines.stacked.products import aligned, multiply
from sukima.engines.stacked.storage import Storage, empty_rows
from sukima.torch.channel import dropout1d, dropout2d, dropout3d

__all__ = ["Channels", "Each", "Folded", "Linear", "Node", "Relu", "Reshaped", "Units"]


class Node:
    """A layer of every member.

    Attributes:
        trained: whether it has parameters.
        owns: whether its output is its own to be overwritten: nothing needs it for the backward pass.
    """

    trained = False
    owns = False

    def __init__(self) -> None:
        self._buffers: dict[tuple[object, ...], Tensor] = {}

    def forward(self, x: Tensor) -> Tensor:
        """The outputs (members, batch, …) for inputs of the same form."""
        raise NotImplementedError

    def backward(self, g: Tensor, wanted: bool) -> Tensor | None:
        """From the gradient of the output, which may be overwritten, to that of the input, if it is wanted.

        Gradients of parameters go to the storage.
        """
        raise NotImplementedError

    def select(self, kept: Sequence[int]) -> None:
        """Go on with these members only; the storage has been cut already."""
        self._buffers = {}

    def buffer(self, use: str, shape: Sequence[int], like: Tensor) -> Tensor:
        """Room for a result, the same one in each step."""
        key = (use, *shape)
        if key not in self._buffers:
            self._buffers[key] = empty_rows(shape, like)
        return self._buffers[key]


class Linear(Node):
    """One matrix a member; the products are those of ``nn.Linear``.

    Attributes:
        weight: of every member.
        of_weight: its gradient.
        bias: of every member, or ``None``.
        of_bias: its gradient.
    """

    trained = owns = True

    def __init__(self, name: str, storage: Storage, bias: bool) -> None:
        super().__init__()
        self._name, self._storage, self._has_bias = name, storage, bias
        self._bind()

    def _bind(self) -> None:
        self.weight, self.of_weight = self._storage.pair(f"{self._name}.weight")
        self.bias: Tensor | None = None
        self.of_bias: Tensor | None = None
        if self._has_bias:
            self.bias, self.of_bias = self._storage.pair(f"{self._name}.bias")

    @property
    def fan_in(self) -> int:
        """Features of an input."""
        return self.weight.shape[2]

    @property
    def fan_out(self) -> int:
        """Features of an output."""
        return self.weight.shape[1]

    def forward(self, x: Tensor) -> Tensor:
        self._shape = x.shape
        self._x = aligned(x.flatten(1, -2))
        y = self.buffer("y", (*self._x.shape[:2], self.fan_out), x)
        multiply(self._x, self.weight.mT, y, self.bias)
        return y if len(self._shape) == 3 else y.unflatten(1, self._shape[1:-1])

    def backward(self, g: Tensor, wanted: bool) -> Tensor | None:
        g = aligned(g.reshape(*self._x.shape[:2], -1))
        multiply(g.mT, self._x, self.of_weight)
        if self.bias is not None:
            torch.sum(g, 1, out=self.of_bias)
        if not wanted:
            return None
        of_x = self.buffer("x", self._x.shape, g)
        multiply(g, self.weight, of_x)
        return of_x.view(self._shape)

    def select(self, kept: Sequence[int]) -> None:
        super().select(kept)
        self._bind()


class Relu(Node):
    """Into its input where that is another's to give away."""

    def __init__(self, in_place: bool) -> None:
        super().__init__()
        self.in_place = in_place

    def forward(self, x: Tensor) -> Tensor:
        self._y = torch.relu_(x) if self.in_place else torch.relu(x)
        return self._y

    def backward(self, g: Tensor, wanted: bool) -> Tensor | None:
        of_x: Tensor = torch.ops.aten.threshold_backward.grad_input(g, self._y, 0, grad_input=g)
        return of_x


class Units(Node):
    """Dropout of units: each member by its own rate and key.

    After a ReLU the mask is put on the ReLU's own output. Its backward pass then stops the gradient of whatever was
    dropped, since 0 is there, and here remains the factor.

    Attributes:
        site: its masks.
        after_relu: whether it is so.
    """

    def __init__(self, site: SiteMasks, after_relu: bool) -> None:
        super().__init__()
        self.site, self.after_relu = site, after_relu

    def forward(self, x: Tensor) -> Tensor:
        if self.site.off:
            return x
        return self.site.put(x, x if self.after_relu else torch.empty_like(x))

    def backward(self, g: Tensor, wanted: bool) -> Tensor | None:
        if self.site.off:
            return g
        return g.mul_(self.site.factors(g)) if self.after_relu else self.site.put(g, torch.empty_like(g))


_CHANNELWISE = {3: dropout1d, 4: dropout2d, 5: dropout3d}


class Channels(Units):
    """Dropout of whole channels: each member by its own rate and key."""

    def __init__(self, site: SiteMasks) -> None:
        super().__init__(site, after_relu=False)

    def forward(self, x: Tensor) -> Tensor:
        return self._dropped(x) if x.ndim - 1 in _CHANNELWISE and not self.site.off else super().forward(x)

    def backward(self, g: Tensor, wanted: bool) -> Tensor | None:
        return self._dropped(g) if g.ndim - 1 in _CHANNELWISE and not self.site.off else super().backward(g, wanted)

    def _dropped(self, x: Tensor) -> Tensor:
        drop = _CHANNELWISE[x.ndim - 1]
        parts = zip(x.unbind(0), self.site.rates, self.site.keys(), strict=True)
        return _together([drop(part, rate, key=key) if rate else part for part, rate, key in parts])


class Reshaped(Node):
    """A layer that only changes the shape of a row."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self._layer = layer

    def forward(self, x: Tensor) -> Tensor:
        self._shape = x.shape
        return torch.unflatten(self._layer(x.flatten(0, 1)), 0, x.shape[:2])

    def backward(self, g: Tensor, wanted: bool) -> Tensor | None:
        return g.reshape(self._shape)


class Folded(Node):
    """A layer without parameters that treats each row by itself: all members' rows at once, by torch's autograd."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self._layer = copy.deepcopy(layer)

    def forward(self, x: Tensor) -> Tensor:
        self._x = x.detach().requires_grad_()
        with torch.enable_grad():
            self._y = torch.unflatten(self._layer(self._x.flatten(0, 1)), 0, x.shape[:2])
        return self._y.detach()

    def backward(self, g: Tensor, wanted: bool) -> Tensor | None:
        (of_x,) = torch.autograd.grad(self._y, self._x, g)
        del self._y
        return of_x.contiguous() if 0 in of_x.stride() else of_x  # an expanded number is not to be overwritten


class Each(Node):
    """One layer a member, called one after another: convolutions, norms, and whatever else has parameters.

    On a CPU a grouped convolution takes longer than its parts (0.6 times the speed was measured).
    """

    def __init__(self, name: str, layers: Sequence[nn.Module], storage: Storage) -> None:
        super().__init__()
        self._layers = list(layers)
        self._gradients = [f"{name}.{own}" for own, _ in layers[0].named_parameters()]
        self._storage, self.trained = storage, bool(self._gradients)

    def forward(self, x: Tensor) -> Tensor:
        self._xs = [part.detach().requires_grad_(x.is_floating_point()) for part in x.unbind(0)]
        with torch.enable_grad():
            self._ys = [layer(part) for layer, part in zip(self._layers, self._xs, strict=True)]
        return _together([y.detach() for y in self._ys])

    def backward(self, g: Tensor, wanted: bool) -> Tensor | None:
        targets = [self._storage.pair(name)[1] for name in self._gradients]
        found = []
        for index, (layer, x, y, part) in enumerate(zip(self._layers, self._xs, self._ys, g.unbind(0), strict=True)):
            asked = [*layer.parameters(), *([x] if wanted else [])]
            grads = list(torch.autograd.grad(y, asked, part, materialize_grads=True))
            for target, grad in zip(targets, grads, strict=False):
                target[index] = grad
            found += grads[len(targets) :]
        self._xs = self._ys = []
        return _together(found) if wanted else None

    def select(self, kept: Sequence[int]) -> None:
        super().select(kept)
        self._layers = [self._layers[index] for index in kept]


def _together(parts: Sequence[Tensor]) -> Tensor:
    """One tensor of all, in their order in memory."""
    if len(parts) == 1:
        (part,) = parts
        return (part.contiguous() if 0 in part.stride() else part).unsqueeze(0)
    if parts[0].dim() == 4 and parts[0].is_contiguous(memory_format=torch.channels_last):
        return torch.stack([part.movedim(1, -1) for part in parts]).movedim(-1, 2)
    return torch.stack(list(parts))
