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
    """For each stacked parameter, in the network's order, its members' parts."""

    def __init__(self, network: StackedNetwork, members: int) -> None:
        self._network = network
        self._parts = [[nn.Parameter(p.data[index]) for index in range(members)] for p in self._stacked()]

    def _stacked(self) -> list[nn.Parameter]:
        return [p for layer in self._network.layers if isinstance(layer, Linear) for p in layer.parameters()]

    def parameters(self) -> list[nn.Parameter]:
        """All parts, and the parameters that members have for themselves."""
        stacked = set(self._stacked())
        alone = [p for p in self._network.parameters() if p not in stacked]
        return [*(part for parts in self._parts for part in parts), *alone]

    def take_gradients(self) -> None:
        """Hand the stacked gradients to the parts."""
        for stacked, parts in zip(self._stacked(), self._parts, strict=True):
            if stacked.grad is not None:
                for part, grad in zip(parts, stacked.grad.unbind(0), strict=True):
                    part.grad = grad

    def select(self, kept: Sequence[int]) -> None:
        """Go on with these members, after the network has; what an optimizer knows of a part stays true."""
        self._parts = [[parts[index] for index in kept] for parts in self._parts]
        for stacked, parts in zip(self._stacked(), self._parts, strict=True):
            for part, data in zip(parts, stacked.data.unbind(0), strict=True):
                part.data = data
                part.grad = None
