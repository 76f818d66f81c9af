"""LayerDrop (Fan et al. 2020): whole layers of a stack are skipped, on the mask law."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from sukima.base.checks import check_count
from sukima.masks.key import MaskKey
from sukima.torch.decisions import kind_key
from sukima.torch.masked import is_traced
from sukima.torch.rated import is_off, rate_of
from sukima.torch.structured import keep_over

__all__ = ["LayerDrop", "kept_layers"]


def kept_layers(
    count: int, p: float | Tensor = 0.2, *, like: Tensor | None = None, key: MaskKey | None = None
) -> Tensor:
    """Which of ``count`` layers are run, as a boolean tensor (count,).

    Args:
        count: how many layers there are.
        p: the probability that a layer is skipped, in [0, 1].
        like: a tensor on the device wanted; by default the CPU.
        key: what decides; by default one draw from torch's generator.

    Raises:
        InputError: an argument is not as described.

    Paper: Fan et al., Reducing Transformer Depth on Demand with Structured Dropout, ICLR 2020.

    >>> kept_layers(4, 1.0)
    tensor([False, False, False, False])
    """
    check_count("count", count)
    where = torch.empty(()) if like is None else like
    return keep_over((count,), kind_key(where, key, "layer"), rate_of(p), where.device)


class LayerDrop(nn.ModuleList):
    """Layers run one after another, each skipped with probability ``p`` in training; all run at inference.

    The layers take and give a tensor of one shape; further arguments of the call go to each. A skipped layer costs
    nothing in eager mode; under a compiler, which must not depend on the draw, it runs and its result is not used.
    The names in the state dict are those of ``nn.ModuleList``. Under ``DistributedDataParallel`` ask for
    ``find_unused_parameters``.

    >>> stack = LayerDrop([nn.Linear(3, 3) for _ in range(4)], p=0.2)
    >>> stack(torch.ones(2, 3)).shape
    torch.Size([2, 3])
    """

    def __init__(self, layers: Iterable[nn.Module] = (), p: float = 0.2) -> None:
        super().__init__(layers)
        self.p = float(rate_of(p))

    def forward(self, input: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """Run the layers; in training mode some are skipped."""
        if is_off(self.training, self.p) or not len(self):
            for layer in self:
                input = layer(input, *args, **kwargs)
            return input
        kept = kept_layers(len(self), self.p, like=input)
        if torch._C._are_functorch_transforms_active() or is_traced(input):
            for layer, keep in zip(self, kept.unbind(), strict=True):
                input = torch.where(keep, layer(input, *args, **kwargs), input)
        else:
            for layer, keep in zip(self, kept.tolist(), strict=True):
                input = layer(input, *args, **kwargs) if keep else input
        return input

    def extra_repr(self) -> str:
        """The arguments, as torch shows them."""
        return f"p={self.p:g}"
