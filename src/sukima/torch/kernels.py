"""From tensors to kernels: which implementation of the mask law serves a tensor."""

from __future__ import annotations

import torch
from torch import Tensor

from sukima.masks import cpu
from sukima.masks.key import MaskKey

__all__ = ["masked"]


def masked(input: Tensor, out: Tensor | None, key: MaskKey, rate: float, factor: float | None = None) -> Tensor:
    """``input`` under the key's mask, into ``out`` or a new tensor."""
    source = input.detach().contiguous()
    if source.device.type != "cpu" or source.dtype not in (torch.float32, torch.float64):
        kept = torch.from_numpy(cpu.keep(key, rate, source.numel())).to(source.device).view(source.shape)
        scaled = source * (cpu.scale(rate) if factor is None else factor)
        result = torch.where(kept, scaled, torch.zeros((), dtype=source.dtype, device=source.device))
    else:
        result = torch.empty_like(source)
        cpu.apply(source.view(-1).numpy(), result.view(-1).numpy(), key, rate, factor)
    return result if out is None else out.copy_(result)
