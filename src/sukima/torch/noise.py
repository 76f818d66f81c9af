"""Uniform and normal noise from the mask law's words.

Element ``i`` of uniform noise is word ``i`` of the key's stream. Normal noise takes words two at a time (Box & Muller
1958). The words are equal everywhere; values of normal noise agree within 4 units in the last place, since libraries
round logarithm and sine differently.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.library import Library

from sukima.masks import cpu
from sukima.masks.key import Key
from sukima.torch.keys import key_tensor, keys_of

__all__ = ["normal", "uniform"]

_library = Library("sukima", "FRAGMENT")  # torch forgets the operators with the object
_library.define(
    "uniform(Tensor key, SymInt size, ScalarType dtype, Device device) -> Tensor",
    tags=(torch.Tag.pt2_compliant_tag,),
)
_operator: Callable[..., Tensor] = torch.ops.sukima.uniform.default


def _from_words(key: Tensor, size: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    found = []
    for each in keys_of(key):
        word = torch.from_numpy(cpu.words(each, -(-size // 4)).reshape(-1)[:size].view("<i4"))
        if dtype is torch.float64:
            found.append((word.long() & 0xFFFFFFFF).double().add_(0.5).mul_(2.0**-32))
        else:  # 23 bits and a half are what a float32 holds without rounding, so that none gives 0 or 1
            found.append((word.bitwise_right_shift_(9) & 0x7FFFFF).float().add_(0.5).mul_(2.0**-23))
    values = found[0] if len(found) == 1 else torch.stack(found)
    return values.reshape(*key.shape[:-1], size).to(device)


def _fake(key: Tensor, size: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    return torch.empty((*key.shape[:-1], size), dtype=dtype, device=device)


def _vmap(_info: Any, dims: Any, key: Tensor, *rest: Any) -> tuple[Tensor, int]:
    return _operator(key.movedim(dims[0], 0), *rest), 0


_library.impl("uniform", _from_words, "CompositeExplicitAutograd")
torch.library.register_fake("sukima::uniform", _fake, lib=_library)
torch.library.register_vmap("sukima::uniform", _vmap, lib=_library)


def uniform(shape: Sequence[int], key: Key | Tensor, like: Tensor) -> Tensor:
    """Noise between 0 and 1, both excluded: float64 for a float64 ``like``, else float32, on its device."""
    dtype = torch.float64 if like.dtype is torch.float64 else torch.float32
    keys = key_tensor(key)
    return _operator(keys, math.prod(shape), dtype, like.device).reshape(tuple(shape))


def normal(shape: Sequence[int], key: Key | Tensor, like: Tensor) -> Tensor:
    """Noise of mean 0 and variance 1, as `uniform`."""
    size = math.prod(shape)
    pairs = uniform((-(-size // 2), 2), key, like)
    first, second = (each.contiguous() for each in pairs.unbind(-1))
    radius = first.log().mul_(-2).sqrt_()  # each new tensor costs more than the arithmetic on it
    angle = second.mul(2 * math.pi)
    both = torch.stack((angle.cos().mul_(radius), angle.sin().mul_(radius)), -1)
    return both.reshape(-1)[:size].reshape(tuple(shape))
