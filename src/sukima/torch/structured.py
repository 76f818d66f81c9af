"""One decision for many elements: masks over a smaller shape, broadcast over the input."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from sukima.masks import law
from sukima.masks.jobs import Shift
from sukima.masks.key import Key, MaskKey, ShardedKey
from sukima.torch import distributed, kernels, operators
from sukima.torch.decisions import masked_by
from sukima.torch.keys import key_tensor
from sukima.torch.masked import check_shard, is_plain, plain_call
from sukima.torch.memory import is_ours_alone

__all__ = ["keep_over", "masked_over", "over_plain", "scale_of", "whole_shape"]


def scale_of(rate: float | Tensor) -> float | Tensor:
    """`sukima.masks.law.scale`, also of a rate that is a tensor."""
    if not isinstance(rate, Tensor):
        return law.scale(rate)
    exact = rate.double()
    whole = torch.where((exact > 0) & (exact < 1 / 256), 2.0**32, 2.0**16)
    left = whole - torch.round(exact * whole)
    return torch.where(left > 0, whole / left, 0.0)


def keep_over(shape: Sequence[int], key: Key | Tensor, rate: float | Tensor, device: torch.device) -> Tensor:
    """Which elements of ``shape`` are kept, as a boolean tensor: element ``i`` is the ``i``-th in row-major order."""
    rates, p = (rate, 0.0) if isinstance(rate, Tensor) else (None, rate)
    keys = key_tensor(key)
    return operators.keep(keys, rates, p, math.prod(shape), device).reshape(tuple(shape))


class _Over(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, input: Tensor, out: Tensor | None, shape: tuple[int, ...], key: MaskKey, rate: float,
        factor: float | None, shift: Shift | None,
    ) -> Tensor:  # fmt: skip
        ctx.mask = shape, key, rate, factor
        if out is not None:
            ctx.mark_dirty(out)
        return kernels.masked_over(input, out, shape, key, rate, factor, shift)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        out = grads[0] if is_ours_alone(grads) else None
        return over_plain(grads[0], out, *ctx.mask, None), *(None,) * 6


over_plain = plain_call(_Over, kernels.masked_over)


def whole_shape(input: Tensor, key: Key | Tensor | None) -> tuple[int, ...]:
    """The shape of the tensor that ``input`` is, or is a part of."""
    return key.shape if isinstance(key, ShardedKey) else tuple(input.shape)


def _over_part(
    input: Tensor, shape: Sequence[int], key: Key | Tensor, rate: float | Tensor, factor: float | None
) -> Tensor:
    """`masked_over` for a part of a tensor: the mask is made for the whole, being small, and cut."""
    scale = scale_of(rate) if factor is None else factor
    whole = key.key if isinstance(key, ShardedKey) else key

    def decide() -> Tensor:
        kept = keep_over(shape, whole, rate, input.device)
        return distributed.cut(kept, key.local, key.offset) if isinstance(key, ShardedKey) else kept

    if isinstance(key, ShardedKey):
        check_shard(input, key)
    return masked_by(input, decide, scale)


def masked_over(
    input: Tensor,
    shape: Sequence[int],
    key: Key | Tensor,
    rate: float | Tensor,
    factor: float | None = None,
    inplace: bool = False,
) -> Tensor:
    """``input`` under a mask of ``shape`` (which must broadcast to the input's), differentiable.

    Kept elements are multiplied by ``factor`` (by default the law's scale), the others are +0. Element ``i`` of the
    mask is element ``i``, in row-major order, of ``shape``. For a part of a tensor (a ``DTensor``, or an input under a
    `ShardedKey`) that is the shape of the whole tensor's mask, see `whole_shape`.
    """
    if distributed.is_distributed(input) or isinstance(key, ShardedKey):
        result = _over_part(input, shape, key, rate, factor)
        return input.copy_(result) if inplace else result
    if isinstance(key, MaskKey) and not isinstance(rate, Tensor) and input.device.type == "cpu" and is_plain(input):
        return over_plain(input, input if inplace else None, tuple(shape), key, rate, factor, None)
    scale = scale_of(rate) if factor is None else factor
    scaled = input * (scale.to(input.dtype) if isinstance(scale, Tensor) else scale)
    zero = torch.zeros((), dtype=input.dtype, device=input.device)
    result = torch.where(keep_over(shape, key, rate, input.device), scaled, zero)
    return input.copy_(result) if inplace else result
