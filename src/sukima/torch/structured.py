"""One decision for many elements: masks over a smaller shape, broadcast over the input."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from sukima.masks import cpu
from sukima.masks.key import MaskKey

__all__ = ["masked_over"]


def masked_over(
    input: Tensor, shape: Sequence[int], key: MaskKey, rate: float, factor: float | None = None, inplace: bool = False
) -> Tensor:
    """``input`` under a mask of ``shape`` (which must broadcast to the input's), differentiable.

    Element ``i`` of the mask is element ``i``, in row-major order, of ``shape``.
    """
    size = 1
    for length in shape:
        size *= length
    kept = torch.from_numpy(cpu.keep(key, rate, size)).to(input.device).view(tuple(shape))
    scaled = input * (cpu.scale(rate) if factor is None else factor)
    result = torch.where(kept, scaled, torch.zeros((), dtype=input.dtype, device=input.device))
    return input.copy_(result) if inplace else result
