"""What an optimizer sees of a stack: the parameters of each member, as views of the stacked ones.

An optimizer's kernels treat the last few elements of a tensor apart, with another rounding; so each member's part is
a tensor of its own there, as it is alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from sukima.engines.stacked.layers import Linear
from sukima.engines.stacked.network import StackedNetwork

__all__ = ["Parts"]


class Parts:
    """Stacked parameter → its members' parts."""

    def __init__(self, network: StackedNetwork, members: int) -> None:
        self._network = network
        stacked = [p for layer in network.layers if isinstance(layer, Linear) for p in layer.parameters()]
        self._parts = {p: [nn.Parameter(p.data[index]) for index in range(members)] for p in stacked}

    def parameters(self) -> list[nn.Parameter]:
        """All parts, and the parameters that members have for themselves."""
        alone = [p for p in self._network.parameters() if p not in self._parts]
        return [*(part for parts in self._parts.values() for part in parts), *alone]

    def take_gradients(self) -> None:
        """Hand the stacked gradients to the parts."""
        for stacked, parts in self._parts.items():
            if stacked.grad is not None:
                for part, grad in zip(parts, stacked.grad.unbind(0), strict=True):
                    part.grad = grad

    def select(self, kept: Sequence[int]) -> None:
        """Go on with these members, after the network has; what an optimizer knows of a part stays true."""
        for stacked, parts in self._parts.items():
            self._parts[stacked] = [parts[index] for index in kept]
            for part, data in zip(self._parts[stacked], stacked.data.unbind(0), strict=True):
                part.data = data
                part.grad = None
