"""DropBlock (Ghiasi et al. 2018): dropout of contiguous blocks of a feature map, on the mask law."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from sukima.base.checks import check_count
from sukima.base.errors import InputError
from sukima.masks.key import MaskKey
from sukima.torch.decisions import kind_key, masked_by
from sukima.torch.masked import check_input
from sukima.torch.rated import RatedModule, is_off, kept_share, rate_of
from sukima.torch.structured import keep_over

__all__ = ["DropBlock1d", "DropBlock2d", "DropBlock3d", "drop_block1d", "drop_block2d", "drop_block3d"]


def _all_in_window(kept: Tensor, dim: int, width: int) -> Tensor:
    """Whether all of ``width`` neighbours along ``dim`` are kept; the result is ``width - 1`` shorter."""
    length = kept.shape[dim] - width + 1
    have = 1
    while have < width:
        step = min(have, width - have)
        left = kept.narrow(dim, 0, kept.shape[dim] - step)
        kept = left & kept.narrow(dim, step, kept.shape[dim] - step)
        have += step
    return kept.narrow(dim, 0, length)


def _drop_block(
    input: Tensor, p: float | Tensor, block_size: int, training: bool, key: MaskKey | None, spatial: int
) -> Tensor:
    check_input(input)
    rate = rate_of(p)
    block = check_count("block_size", block_size)
    if input.dim() != spatial + 2:
        raise InputError(
            "{name} must be {expected}, got {value}",
            name="input",
            expected=f"{spatial + 2}-D",
            value=tuple(input.shape),
        )
    if is_off(training, rate) or input.numel() == 0:
        return input
    volume = block**spatial
    seeds = 1 - (1 - (rate.double() if isinstance(rate, Tensor) else rate)) ** (1 / volume)
    kept = kept_share(seeds)
    factor: Any
    if isinstance(kept, Tensor):
        factor = (1 / kept**volume).where(kept > 0, 0.0)
    else:
        factor = 1 / kept**volume if kept else 0.0
    shape = (*input.shape[:2], *(n + block - 1 for n in input.shape[2:]))
    drawn = kind_key(input, key, "block", cuts=True)

    def decide() -> Tensor:
        mask = keep_over(shape, drawn, seeds, input.device)
        for dim in range(-spatial, 0):
            mask = _all_in_window(mask, dim, block)
        return mask

    return masked_by(input, decide, factor)


def drop_block1d(
    input: Tensor, p: float | Tensor = 0.1, block_size: int = 7, training: bool = True, *, key: MaskKey | None = None
) -> Tensor:
    """Drop runs of ``block_size`` neighbours of an input (N, C, L) in training; do nothing at inference.

    Every element is dropped with probability ``p`` exactly, also at the borders: block centres may lie outside the
    map, and a centre is drawn with probability 1 - (1 - p)^(1/volume). (The paper's own formula counts overlapping
    blocks twice and so drops fewer than ``p``.) What is kept is multiplied by 1/(1 - p) rather than by the ratio
    counted in the batch, so that samples do not depend on each other.

    Args:
        input: a floating-point tensor.
        p: the probability that an element is dropped, in [0, 1].
        block_size: elements along each side of a block.
        training: whether to drop at all.
        key: what decides the mask; by default one draw from torch's generator.

    Raises:
        InputError: an argument is not as described.

    Paper: Ghiasi et al., DropBlock: A Regularization Method for Convolutional Networks, NeurIPS 2018.

    >>> import torch
    >>> y = drop_block1d(torch.ones(8, 16, 100), 0.2, 5, key=MaskKey(1))
    >>> round(float((y == 0).float().mean()), 1)
    0.2
    """
    return _drop_block(input, p, block_size, training, key, 1)


def drop_block2d(
    input: Tensor, p: float | Tensor = 0.1, block_size: int = 7, training: bool = True, *, key: MaskKey | None = None
) -> Tensor:
    """As `drop_block1d`, for squares of an input (N, C, H, W)."""
    return _drop_block(input, p, block_size, training, key, 2)


def drop_block3d(
    input: Tensor, p: float | Tensor = 0.1, block_size: int = 7, training: bool = True, *, key: MaskKey | None = None
) -> Tensor:
    """As `drop_block1d`, for cubes of an input (N, C, D, H, W)."""
    return _drop_block(input, p, block_size, training, key, 3)


class _DropBlock(RatedModule):
    def __init__(self, p: float = 0.1, block_size: int = 7) -> None:
        super().__init__(p)
        self.block_size = check_count("block_size", block_size)

    def extra_repr(self) -> str:
        """The arguments, as torch shows them."""
        return f"{super().extra_repr()}, block_size={self.block_size}"


class DropBlock1d(_DropBlock):
    """`drop_block1d` as a module."""

    def forward(self, input: Tensor) -> Tensor:
        """Drop runs of ``input`` in training mode."""
        return drop_block1d(input, self.in_force, self.block_size, self.training)


class DropBlock2d(_DropBlock):
    """`drop_block2d` as a module."""

    def forward(self, input: Tensor) -> Tensor:
        """Drop squares of ``input`` in training mode."""
        return drop_block2d(input, self.in_force, self.block_size, self.training)


class DropBlock3d(_DropBlock):
    """`drop_block3d` as a module."""

    def forward(self, input: Tensor) -> Tensor:
        """Drop cubes of ``input`` in training mode."""
        return drop_block3d(input, self.in_force, self.block_size, self.training)
