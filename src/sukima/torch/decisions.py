"""Masks and noise that are computed from their key again for the backward pass, whatever shape their making takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from sukima.base.errors import InputError
from sukima.masks.key import Key, MaskKey, ShardedKey
from sukima.torch import kernels
from sukima.torch.keys import of_kind
from sukima.torch.masked import is_plain, plain_call, site_key

__all__ = ["kind_key", "masked_by", "multiplied_by"]

Make = Callable[[], Tensor]


class _Masked(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, input: Tensor, decide: Make, factor: float) -> Tensor:
        ctx.again = decide, factor
        return _mask(input, decide, factor)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        return _masked(grads[0], *ctx.again), None, None


class _Multiplied(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, input: Tensor, make: Make) -> Tensor:
        ctx.make = make
        return _multiply(input, make)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        return _multiplied(grads[0], ctx.make), None


def _mask(input: Tensor, decide: Make, factor: float) -> Tensor:
    return kernels.masked_with(input, None, decide(), factor)


def _multiply(input: Tensor, make: Make) -> Tensor:
    noise = make()
    if input.dtype is noise.dtype and input.shape == noise.shape and input.is_contiguous():
        return noise.mul_(input)
    return (input * noise).to(input.dtype)


_masked, _multiplied = plain_call(_Masked, _mask), plain_call(_Multiplied, _multiply)


def kind_key(input: Tensor, key: Key | None, kind: str) -> MaskKey | Tensor:
    """The key of a call, for a kind of mask that is made as a whole; a key for a shard of the input is an error."""
    found = of_kind(site_key(input, key), kind)
    if isinstance(found, ShardedKey):
        raise InputError(
            "masks of a structure smaller than the tensor cannot be sharded; shard their decisions instead"
        )
    return found


def masked_by(input: Tensor, decide: Make, factor: float | Tensor) -> Tensor:
    """``input`` times ``factor`` where ``decide()`` (boolean, broadcast to it) is true, else +0.

    ``decide`` is called again for the gradient and must give the same answer: it depends on a key and nothing else.
    """
    if is_plain(input) and not isinstance(factor, Tensor):
        return _masked(input, decide, factor)
    scaled = input * (factor.to(input.dtype) if isinstance(factor, Tensor) else factor)
    return torch.where(decide(), scaled, torch.zeros((), dtype=input.dtype, device=input.device))


def multiplied_by(input: Tensor, make: Make) -> Tensor:
    """``input`` times the noise that ``make()`` gives, in the input's type; ``make`` as ``decide`` in `masked_by`."""
    return _multiplied(input, make) if is_plain(input) else (input * make()).to(input.dtype)
