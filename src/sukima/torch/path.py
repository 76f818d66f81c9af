"""DropPath, or stochastic depth (Huang et al. 2016), on the mask law."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from sukima.base.checks import check_choice, check_count, check_rate
from sukima.masks.key import Key
from sukima.torch.keys import of_kind
from sukima.torch.masked import check_input, site_key
from sukima.torch.rated import RatedModule, check_dims, is_off, rate_of
from sukima.torch.structured import masked_over, whole_shape

__all__ = ["DropPath", "Per", "drop_path", "linear_rates"]

Per = Literal["sample", "batch"]


def drop_path(
    input: Tensor,
    p: float | Tensor = 0.0,
    training: bool = True,
    *,
    per: Per = "sample",
    scaled: bool = True,
    key: Key | None = None,
) -> Tensor:
    """Drop what a residual branch adds, as a whole, with probability ``p`` in training; do nothing at inference.

    Args:
        input: the branch's output, (N, …).
        p: the rate, in [0, 1].
        training: whether to drop at all.
        per: one decision for each ``"sample"`` (row of the first dimension), or one for the whole ``"batch"``.
        scaled: whether what is kept is multiplied by 1/(1 - p).
        key: what decides; by default one draw from torch's generator.

    Raises:
        InputError: an argument is not as described.

    Paper: Huang et al., Deep Networks with Stochastic Depth, ECCV 2016.

    >>> import torch
    >>> from sukima.masks.key import MaskKey
    >>> drop_path(torch.ones(4, 2), 0.5, key=MaskKey(3)).sum(1).unique().tolist()
    [0.0, 4.0]
    """
    check_input(input)
    rate = rate_of(p)
    check_choice("per", per, ("sample", "batch"))
    check_dims(input, 1 if per == "sample" else 0)
    if is_off(training, rate):
        return input
    drawn = of_kind(site_key(input, key), "path")
    rows = whole_shape(input, drawn)[:1] if per == "sample" else (1,) * min(1, input.dim())
    shape = (*rows, *(1 for _ in input.shape[1:]))
    return masked_over(input, shape, drawn, rate, None if scaled else 1.0)


def linear_rates(depth: int, last: float, first: float = 0.0) -> list[float]:
    """Rates for ``depth`` blocks, on a straight line from ``first`` to ``last``: deeper blocks are dropped more often.

    >>> linear_rates(5, 0.2)
    [0.0, 0.05, 0.1, 0.15000000000000002, 0.2]
    """
    check_count("depth", depth)
    first, last = check_rate("first", first), check_rate("last", last)
    if depth == 1:
        return [last]
    return [first + (last - first) * (i / (depth - 1)) for i in range(depth - 1)] + [last]


class DropPath(RatedModule):
    """`drop_path` as a module: ``x + drop_path(branch(x))``."""

    def __init__(self, p: float = 0.0, *, per: Per = "sample", scaled: bool = True) -> None:
        super().__init__(p)
        check_choice("per", per, ("sample", "batch"))
        self.per: Per = per
        self.scaled = scaled

    def forward(self, input: Tensor) -> Tensor:
        """Drop rows of ``input``, or all of it, in training mode."""
        return drop_path(input, self.in_force, self.training, per=self.per, scaled=self.scaled)

    def extra_repr(self) -> str:
        """The arguments, as torch shows them."""
        return f"{super().extra_repr()}, per={self.per!r}, scaled={self.scaled}"
