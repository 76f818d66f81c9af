"""Dropout that repeats its mask along some axes (``noise_shape``, as in Keras), on the mask law."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from sukima.base.errors import InputError
from sukima.masks.key import Key
from sukima.torch.keys import of_kind
from sukima.torch.masked import check_input, site_key
from sukima.torch.rated import RatedModule, is_off, rate_of
from sukima.torch.structured import masked_over, whole_shape

__all__ = ["ShapedDropout", "shaped_dropout"]

NoiseShape = Sequence[int | None]


def _mask_shape(whole: tuple[int, ...], noise_shape: NoiseShape) -> tuple[int, ...]:
    wanted = tuple(noise_shape)
    if len(wanted) == len(whole):
        shape = tuple(n if m is None else m for m, n in zip(wanted, whole, strict=True))
        if all(m in (1, n) for m, n in zip(shape, whole, strict=True)):
            return shape
    raise InputError(
        "noise_shape must give 1, None or the input's own size for each of its dimensions {shape}, got {value}",
        shape=whole,
        value=wanted,
    )


def shaped_dropout(
    input: Tensor,
    p: float | Tensor = 0.5,
    noise_shape: NoiseShape = (),
    training: bool = True,
    inplace: bool = False,
    *,
    key: Key | None = None,
) -> Tensor:
    """As `dropout`, with a mask of ``noise_shape`` that is repeated over the input.

    Args:
        input: a floating-point tensor.
        p: the rate, in [0, 1].
        noise_shape: one entry a dimension: 1 where the mask is repeated, ``None`` or the input's size where it is not.
        training: whether to drop at all.
        inplace: overwrite ``input``.
        key: what decides the mask; by default one draw from torch's generator.

    Raises:
        InputError: an argument is not as described.

    >>> import torch
    >>> y = shaped_dropout(torch.ones(2, 5, 3), 0.5, (None, 1, None))  # one mask for all five time steps
    >>> bool((y == y[:, :1]).all())
    True
    """
    check_input(input)
    rate = rate_of(p)
    shape = _mask_shape(whole_shape(input, key), noise_shape)
    if is_off(training, rate):
        return input
    return masked_over(input, shape, of_kind(site_key(input, key), "shaped"), rate, inplace=inplace)


class ShapedDropout(RatedModule):
    """`shaped_dropout` as a module."""

    def __init__(self, p: float = 0.5, noise_shape: NoiseShape = (), inplace: bool = False) -> None:
        super().__init__(p)
        self.noise_shape = tuple(noise_shape)
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Drop parts of ``input`` in training mode."""
        return shaped_dropout(input, self.in_force, self.noise_shape, self.training, self.inplace)

    def extra_repr(self) -> str:
        """The arguments, as torch shows them."""
        return f"{super().extra_repr()}, noise_shape={self.noise_shape}, inplace={self.inplace}"
