"""Alpha dropout (Klambauer et al. 2017): for self-normalizing networks, on the mask law."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from sukima.masks.key import Key
from sukima.torch.keys import of_kind
from sukima.torch.masked import check_input, is_plain, put_mask, site_key
from sukima.torch.rated import RatedModule, check_dims, is_off, kept_share, rate_of
from sukima.torch.structured import masked_over, whole_shape

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
    slope: float | Tensor,
    shift: float | Tensor,
    inplace: bool,
    put: Callable[[Tensor, float, bool], Tensor],
) -> Tensor:
    """The input less the saturation value, under the mask that ``put`` puts on it with a factor, moved back.

    ``put`` is told whether it may overwrite what it is given: then all is done in the memory of one new tensor.
    """
    moved = input - SATURATION
    if isinstance(slope, Tensor) or isinstance(shift, Tensor):
        result = (put(moved, 1.0, False) * slope + shift).to(input.dtype)
    elif is_plain(moved):
        result = put(moved, slope, True).add_(shift)
    else:
        result = put(moved, slope, False) + shift
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

    def put(moved: Tensor, factor: float, over: bool) -> Tensor:
        return put_mask(moved, drawn, rate, factor, moved if over else None)

    return saturated(input, *_affine(rate), inplace, put)


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

    def put(moved: Tensor, factor: float, over: bool) -> Tensor:
        return masked_over(moved, shape, drawn, rate, factor, inplace=over)

    return saturated(input, *_affine(rate), inplace, put)


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
