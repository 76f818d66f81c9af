"""Where a mask's key comes from when the caller gives none."""

from __future__ import annotations

import torch

from sukima.masks.key import MaskKey

__all__ = ["draw_key"]


def draw_key(device: torch.device | None = None, generator: torch.Generator | None = None) -> MaskKey:
    """A key whose seed is one 64-bit draw from torch's generator (the device's default one unless given)."""
    device = generator.device if generator is not None else device
    drawn = torch.empty((), dtype=torch.int64, device=device)
    drawn.random_(-(2**63), None, generator=generator)
    return MaskKey(int(drawn.item()) & 0xFFFFFFFFFFFFFFFF)
