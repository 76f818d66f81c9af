"""Corruption of inputs, for denoising: masking, salt and pepper, Gaussian and swap noise, on the mask law's words."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from sukima.base.checks import check_choice, check_number
from sukima.masks.key import MaskKey
from sukima.torch.decisions import kind_key
from sukima.torch.masked import check_input, put_mask
from sukima.torch.noise import normal, uniform
from sukima.torch.operators import fold_in
from sukima.torch.rated import RatedModule, check_dims, is_off, rate_of
from sukima.torch.structured import keep_over

__all__ = ["Corruption", "CorruptionKind", "corrupt"]

CorruptionKind = Literal["mask", "salt_pepper", "gaussian", "swap"]
_KINDS = ("mask", "salt_pepper", "gaussian", "swap")


def corrupt(
    input: Tensor,
    p: float | Tensor = 0.1,
    kind: CorruptionKind = "mask",
    training: bool = True,
    *,
    low: float = 0.0,
    high: float = 1.0,
    deviation: float = 1.0,
    key: MaskKey | None = None,
) -> Tensor:
    """Corrupt each element with probability ``p`` in training; do nothing at inference. The others stay as they are.

    Args:
        input: a floating-point tensor; its first dimension are samples for ``"swap"``.
        p: the rate, in [0, 1].
        kind: what becomes of an element: ``"mask"``: 0; ``"salt_pepper"``: ``low`` or ``high``, even chances;
            ``"gaussian"``: normal noise is added; ``"swap"``: the same feature of another row, drawn evenly (for
            tables, where columns have scales and categories of their own).
        training: whether to corrupt at all.
        low: the value of pepper.
        high: the value of salt.
        deviation: the standard deviation of the noise, in the input's units.
        key: what decides; by default one draw from torch's generator.

    Raises:
        InputError: an argument is not as described.

    Papers: Vincent et al., Stacked Denoising Autoencoders, JMLR 2010; Yoon et al., VIME, NeurIPS 2020 (swap).

    >>> corrupt(torch.full((4,), 5.0), 1.0, "salt_pepper", low=-1, high=-1)
    tensor([-1., -1., -1., -1.])
    """
    check_input(input)
    rate = rate_of(p)
    check_choice("kind", kind, _KINDS)
    low, high = check_number("low", low), check_number("high", high)
    deviation = check_number("deviation", deviation, minimum=0)
    if kind == "swap":
        check_dims(input, 1)
    if is_off(training, rate):
        return input
    drawn = kind_key(input, key, "corruption")
    if kind == "mask":
        return put_mask(input, drawn, rate, 1.0)
    chosen = drawn.fold_in("value") if isinstance(drawn, MaskKey) else fold_in(drawn, "value")
    if kind == "salt_pepper":
        other = torch.where(keep_over(input.shape, chosen, 0.5, input.device), high, low)
    elif kind == "gaussian":
        other = input + deviation * normal(input.shape, chosen, input)
    else:
        rows = input.shape[0]
        index = (uniform(input.shape, chosen, input) * rows).long().clamp(max=max(rows - 1, 0))
        other = input.gather(0, index)
    return torch.where(keep_over(input.shape, drawn, rate, input.device), input, other.to(input.dtype))


class Corruption(RatedModule):
    """`corrupt` as a module."""

    def __init__(
        self,
        p: float = 0.1,
        kind: CorruptionKind = "mask",
        *,
        low: float = 0.0,
        high: float = 1.0,
        deviation: float = 1.0,
    ) -> None:
        super().__init__(p)
        check_choice("kind", kind, _KINDS)
        self.kind: CorruptionKind = kind
        self.low, self.high = check_number("low", low), check_number("high", high)
        self.deviation = check_number("deviation", deviation, minimum=0)

    def forward(self, input: Tensor) -> Tensor:
        """Corrupt ``input`` in training mode."""
        return corrupt(
            input, self.in_force, self.kind, self.training, low=self.low, high=self.high, deviation=self.deviation
        )

    def extra_repr(self) -> str:
        """The arguments, as torch shows them."""
        return f"{super().extra_repr()}, kind={self.kind!r}"
