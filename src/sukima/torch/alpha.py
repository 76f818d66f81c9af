"""Alpha dropout (Klambauer et al. 2017): for self-normalizing networks, on the mask law."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from sukima.masks.key import Key, MaskKey
from sukima.torch.kernels import is_native
from sukima.torch.keys import of_kind
from sukima.torch.masked import check_input, is_plain, put_mask, put_plain, site_key
from sukima.torch.rated import RatedModule, check_dims, is_off, kept_share, rate_of
from sukima.torch.structured import masked_over, over_plain, whole_shape

__all__ = ["AlphaDropout", "FeatureAlphaDropout", "alpha_dropout", "feature_alpha_dropout", "saturated"]

SATURATION = -1.7580993408473766
"""The limit of SELU for very negative inputs, as torch has it."""


def _affine(rate: float | Tensor) -> tuple[float | Tensor, float | Tensor]:
    """Slope and shift that give the mixture of kept and saturated values the mean and variance from before."""
    kept = kept_share(rate)
    spread = (SATURATION**2 * (1 - kept) + 1) * kept
    if isinstance(kept, Tensor) and isinstance(spread, Tensor):
        slope = torch.where(kept > 0, torch.rsqrt(spread), 0.0)
        return slope, slope * SATURATION * kept
    exact = 1 / math.sqrt(spread) if kept else 0.0
    return exact, exact * SATURATION * kept


def saturated(
    input: Tensor,
    key: Key | Tensor,
    rate: float | Tensor,
    inplace: bool,
    shape: tuple[int, ...] | None = None,
) -> Tensor:
    """The input with SELU's limit where a mask drops, then moved back to mean and variance from before.

    The mask has the shape of the input, or ``shape``. In one pass over memory where the kernels may be used; elsewhere,
    as for shards, in steps with the same rounding.
    """
    slope, shift = _affine(rate)
    known = isinstance(rate, float) and isinstance(key, MaskKey) and is_plain(input) and is_native(input)
    if known and isinstance(slope, float) and isinstance(shift, float):
        ends, out = (shift - slope * SATURATION, shift), input if inplace else None
        if shape is None:
            return put_plain(input, out, key, rate, slope, 0, ends)
        return over_plain(input, out, shape, key, rate, slope, ends)

    def put(x: Tensor) -> Tensor:
        return put_mask(x, key, rate, 1.0) if shape is None else masked_over(x, shape, key, rate, 1.0)

    wide = input if input.dtype is torch.float64 else input.float()
    kept = put(torch.ones_like(wide, requires_grad=False))
    numbers = slope, shift - slope * SATURATION, shift
    slope, high, low = (v.to(wide.dtype) if isinstance(v, Tensor) else v for v in numbers)
    result = (put(wide) * slope + (kept * high + (1 - kept) * low)).to(input.dtype)
    return input.copy_(result) if inplace else result


def alpha_dropout(
    input: Tensor, p: float | Tensor = 0.5, training: bool = True, inplace: bool = False, *, key: Key | None = None
) -> Tensor:
    """Set elements to SELU's negative limit with probability ``p`` in training; do nothing at inference.

    An affine map then restores zero mean and unit variance, so that a self-normalizing network stays so.

    Raises:
        InputError: an argument is not as described.

    Paper: Klambauer et al., Self-Normalizing Neural Networks, NeurIPS 2017.

    >>> from sukima.masks.key import MaskKey
    >>> alpha_dropout(torch.zeros(64), 0.5, key=MaskKey(0)).unique().numel()
    2
    """
    check_input(input)
    rate = rate_of(p)
    if is_off(training, rate):
        return input
    drawn = of_kind(site_key(input, key), "alpha")

    return saturated(input, drawn, rate, inplace)


def feature_alpha_dropout(
    input: Tensor, p: float | Tensor = 0.5, training: bool = True, inplace: bool = False, *, key: Key | None = None
) -> Tensor:
    """As `alpha_dropout`, for whole channels of an input (N, C, …): one decision for each sample and channel."""
    check_input(input)
    rate = rate_of(p)
    check_dims(input, 2)
    if is_off(training, rate):
        return input
    drawn = of_kind(site_key(input, key), "feature alpha")
    shape = (*whole_shape(input, drawn)[:2], *(1 for _ in input.shape[2:]))
    return saturated(input, drawn, rate, inplace, shape)


class AlphaDropout(RatedModule):
    """`alpha_dropout` as a module, in place of ``torch.nn.AlphaDropout``."""

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__(p)
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Drop units of ``input`` in training mode."""
        return alpha_dropout(input, self.in_force, self.training, self.inplace)

    def extra_repr(self) -> str:
        """The arguments, as torch shows them."""
        return f"{super().extra_repr()}, inplace={self.inplace}"


class FeatureAlphaDropout(AlphaDropout):
    """`feature_alpha_dropout` as a module, in place of ``torch.nn.FeatureAlphaDropout``."""

    def forward(self, input: Tensor) -> Tensor:
        """Drop channels of ``input`` in training mode."""
        return feature_alpha_dropout(input, self.in_force, self.training, self.inplace)
