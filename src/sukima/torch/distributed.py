"""Masks of tensors that several processes hold together: each computes its part of the whole tensor's mask."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from sukima.base.errors import InputError
from sukima.torch.constant import constant

__all__ = ["cut", "is_distributed", "on_shard"]


def is_distributed(input: Tensor) -> bool:
    """Whether it is a ``DTensor``."""
    module = sys.modules.get("torch.distributed.tensor")
    return module is not None and isinstance(input, module.DTensor)


def cut(whole: Tensor, local: Sequence[int], offset: Sequence[int]) -> Tensor:
    """The part of a mask for the block of the shape ``local`` at ``offset``; dimensions of size 1 are for all."""
    sizes = zip(whole.shape, local, offset, strict=True)
    return whole[tuple(slice(None) if size == 1 else slice(o, o + n) for size, n, o in sizes)]


@constant
def _offset(shape: Sequence[int], mesh: Any, placements: Sequence[Any]) -> tuple[int, ...]:
    """Where in the whole the part that lies here begins."""
    from torch.distributed.tensor import Replicate, Shard
    from torch.distributed.tensor._utils import compute_local_shape_and_global_offset

    for placement in placements:
        if type(placement) not in (Shard, Replicate):
            raise InputError("a DTensor must be sharded or replicated, got the placement {value}", value=str(placement))
    return tuple(compute_local_shape_and_global_offset(torch.Size(shape), mesh, placements)[1])


def on_shard(input: Any, put: Callable[[Tensor, tuple[int, ...]], Tensor]) -> Tensor:
    """Apply ``put`` to the part of a ``DTensor`` that lies here and its offset; the result is placed likewise.

    Every process must come with the same key, as ``keyed`` or one ``manual_seed`` for all provide.

    Raises:
        InputError: a placement is neither ``Shard`` nor ``Replicate``.
    """
    from torch.distributed.tensor import DTensor

    mesh, placements = input.device_mesh, input.placements
    part = put(input.to_local(), _offset(tuple(input.shape), mesh, placements))
    placed: Tensor = DTensor.from_local(
        part, mesh, placements, run_check=False, shape=input.shape, stride=input.stride()
    )
    return placed
