"""Masks and noise that are computed from their key again for the backward pass, whatever shape their making takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from sukima.base.errors import InputError
from sukima.masks.key import Key, MaskKey, ShardedKey
from sukima.torch import distributed, kernels
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


def kind_key(input: Tensor, key: Key | None, kind: str, *, cuts: bool = False) -> MaskKey | Tensor:
    """The key of a call, for a kind of mask that is made as a whole: for the part of a tensor it is an error.

    With ``cuts`` a ``DTensor`` will do: what is made for the whole is cut.
    """
    found = of_kind(site_key(input, key), kind)
    if isinstance(found, ShardedKey) or (distributed.is_distributed(input) and not cuts):
        raise InputError(
            "{kind} masks are made for whole tensors, not for shards; gather the tensor first, or drop units, "
            "channels, positions or paths",
            kind=kind,
        )
    return found


def masked_by(input: Tensor, decide: Make, factor: float | Tensor) -> Tensor:
    """``input`` times ``factor`` where ``decide()`` (boolean, broadcast to it) is true, else +0.

    ``decide`` is called again for the gradient and must give the same answer: it depends on a key and nothing else.
    For a ``DTensor`` it decides for the whole.
    """
    if distributed.is_distributed(input):

        def put(local: Tensor, offset: tuple[int, ...]) -> Tensor:
            return masked_by(local, lambda: distributed.cut(decide(), local.shape, offset), factor)

        return distributed.on_shard(input, put)
    if is_plain(input) and not isinstance(factor, Tensor):
        return _masked(input, decide, factor)
    scaled = input * (factor.to(input.dtype) if isinstance(factor, Tensor) else factor)
    return torch.where(decide(), scaled, torch.zeros((), dtype=input.dtype, device=input.device))


def multiplied_by(input: Tensor, make: Make) -> Tensor:
    """``input`` times the noise that ``make()`` gives, in the input's type; ``make`` as ``decide`` in `masked_by`."""
    if distributed.is_distributed(input):

        def put(local: Tensor, offset: tuple[int, ...]) -> Tensor:
            return multiplied_by(local, lambda: distributed.cut(make(), local.shape, offset))

        return distributed.on_shard(input, put)
    return _multiplied(input, make) if is_plain(input) else (input * make()).to(input.dtype)
