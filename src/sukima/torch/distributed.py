"""Masks of tensors that several processes hold together: each computes its part of the whole tensor's mask."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from torch import Tensor

from sukima.base.errors import InputError
from sukima.masks.key import Key, MaskKey, ShardedKey
from sukima.torch.keys import keys_of

__all__ = ["is_distributed", "on_shard"]


def is_distributed(input: Tensor) -> bool:
    """Whether it is a ``DTensor``."""
    module = sys.modules.get("torch.distributed.tensor")
    return module is not None and isinstance(input, module.DTensor)


def on_shard(input: Any, key: Key | Tensor, put: Callable[[Tensor, ShardedKey], Tensor]) -> Tensor:
    """Apply ``put`` to the part of a ``DTensor`` that lies here, with the key for it; the result is placed likewise.

    Every process must come with the same key, as ``keyed`` or one ``manual_seed`` for all provide.

    Raises:
        InputError: a placement is neither ``Shard`` nor ``Replicate``.
    """
    from torch.distributed.tensor import DTensor, Replicate, Shard
    from torch.distributed.tensor._utils import compute_local_shape_and_global_offset

    for placement in input.placements:
        if type(placement) not in (Shard, Replicate):
            raise InputError("a DTensor must be sharded or replicated, got the placement {value}", value=str(placement))
    if isinstance(key, Tensor):
        key = keys_of(key)[0]
    whole: MaskKey = key.key if isinstance(key, ShardedKey) else key
    local, offset = compute_local_shape_and_global_offset(input.shape, input.device_mesh, input.placements)
    part = put(input.to_local(), whole.shard(input.shape, local, offset))
    placed: Tensor = DTensor.from_local(
        part, input.device_mesh, input.placements, run_check=False, shape=input.shape, stride=input.stride()
    )
    return placed
