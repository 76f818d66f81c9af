"""Dropout of whole channels (Tompson et al. 2015), on the mask law."""

from __future__ import annotations

from torch import Tensor

from sukima.base.checks import shown
from sukima.base.errors import InputError
from sukima.masks.key import Key
from sukima.torch.keys import of_kind
from sukima.torch.masked import check_input, site_key
from sukima.torch.rated import RatedModule, rate_of
from sukima.torch.structured import masked_over, whole_shape

__all__ = ["Dropout1d", "Dropout2d", "Dropout3d", "dropout1d", "dropout2d", "dropout3d"]


def _channels(
    input: Tensor,
    p: float | Tensor,
    training: bool,
    inplace: bool,
    key: Key | None,
    batched: int,
    dims: tuple[int, ...],
) -> Tensor:
    check_input(input)
    rate = rate_of(p)
    if input.dim() not in dims:
        expected = " or ".join(f"{d}-D" for d in dims)
        raise InputError(
            "{name} must be {expected}, got {value}",
            name="input",
            expected=expected,
            value=shown(tuple(input.shape)),
        )
    if not training or (not isinstance(rate, Tensor) and rate == 0):
        return input
    lead, drawn = 2 if input.dim() == batched else 1, of_kind(site_key(input, key), "channel")
    shape = (*whole_shape(input, drawn)[:lead], *(1 for _ in input.shape[lead:]))
    return masked_over(input, shape, drawn, rate, inplace=inplace)


def dropout1d(
    input: Tensor, p: float | Tensor = 0.5, training: bool = True, inplace: bool = False, *, key: Key | None = None
) -> Tensor:
    """Drop whole channels of an input (N, C, L) or (C, L) with probability ``p`` in training.

    Kept channels are multiplied by 1/(1 - p); at inference nothing happens. Element (n, C) of the mask is element
    ``n * C + c`` of the law under the key's kind "channel".

    Raises:
        InputError: an argument is not as described.

    Paper: Tompson et al., Efficient Object Localization Using Convolutional Networks, CVPR 2015.
    """
    return _channels(input, p, training, inplace, key, 3, (2, 3))


def dropout2d(
    input: Tensor, p: float | Tensor = 0.5, training: bool = True, inplace: bool = False, *, key: Key | None = None
) -> Tensor:
    """As `dropout1d`, for an input (N, C, H, W); as in torch, three dimensions mean (N, C, L)."""
    return _channels(input, p, training, inplace, key, input.dim(), (3, 4))


def dropout3d(
    input: Tensor, p: float | Tensor = 0.5, training: bool = True, inplace: bool = False, *, key: Key | None = None
) -> Tensor:
    """As `dropout1d`, for an input (N, C, D, H, W) or (C, D, H, W)."""
    return _channels(input, p, training, inplace, key, 5, (4, 5))


class _ChannelDropout(RatedModule):
    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__(p)
        self.inplace = inplace

    def extra_repr(self) -> str:
        """The arguments, as torch shows them."""
        return f"{super().extra_repr()}, inplace={self.inplace}"


class Dropout1d(_ChannelDropout):
    """`dropout1d` as a module, in place of ``torch.nn.Dropout1d``."""

    def forward(self, input: Tensor) -> Tensor:
        """Drop channels of ``input`` in training mode."""
        return dropout1d(input, self.in_force, self.training, self.inplace)


class Dropout2d(_ChannelDropout):
    """`dropout2d` as a module, in place of ``torch.nn.Dropout2d``."""

    def forward(self, input: Tensor) -> Tensor:
        """Drop channels of ``input`` in training mode."""
        return dropout2d(input, self.in_force, self.training, self.inplace)


class Dropout3d(_ChannelDropout):
    """`dropout3d` as a module, in place of ``torch.nn.Dropout3d``."""

    def forward(self, input: Tensor) -> Tensor:
        """Drop channels of ``input`` in training mode."""
        return dropout3d(input, self.in_force, self.training, self.inplace)
