"""Where a mask's key comes from when the caller gives none, and keys as tensors."""

from __future__ import annotations

import torch
from torch import Tensor

from sukima.masks.key import MaskKey

__all__ = ["draw_key", "key_tensor", "keys_of", "of_kind"]

_WORD = 0xFFFFFFFFFFFFFFFF


def draw_key(device: torch.device | None = None, generator: torch.Generator | None = None) -> MaskKey:
    """A key whose seed is one 64-bit draw from torch's generator (the device's default one unless given)."""
    device = generator.device if generator is not None else device
    drawn = torch.empty((), dtype=torch.int64, device=device)
    drawn.random_(-(2**63), None, generator=generator)
    return MaskKey(int(drawn.item()) & _WORD)


def key_tensor(key: MaskKey) -> Tensor:
    """A key as two 64-bit integers, seed and stream, for graphs and transforms."""
    return torch.tensor([word - (1 << 64) if word >> 63 else word for word in (key.seed, key.stream)])


def keys_of(tensor: Tensor) -> list[MaskKey]:
    """The keys in a tensor (2,) or (K, 2)."""
    return [MaskKey(seed & _WORD, stream & _WORD) for seed, stream in tensor.reshape(-1, 2).tolist()]


def of_kind(key: MaskKey | Tensor, kind: str) -> MaskKey | Tensor:
    """The key for a kind of mask ("channel", "path" …), so that two kinds under one key never share words."""
    if isinstance(key, MaskKey):
        return key.fold_in(kind)
    folded: Tensor = torch.ops.sukima.fold_in(key, kind)
    return folded
