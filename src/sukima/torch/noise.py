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


def _normal(key: Tensor, size: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    if dtype is torch.float32:
        found, keys = torch.empty((*key.shape[:-1], size), dtype=dtype), keys_of(key)
        for row, each in zip(found.view(len(keys), size), keys, strict=True):
            cpu.normal(row.data_ptr(), size, each, torch.get_num_threads())
        return found.to(device)
    pairs = _from_words(key, size + size % 2, dtype, device).unflatten(-1, (-1, 2))
    first, second = (each.contiguous() for each in pairs.unbind(-1))
    radius = first.log().mul_(-2).sqrt_()
    angle = second.mul(2 * math.pi)
    both = torch.stack((angle.cos().mul_(radius), angle.sin().mul_(radius)), -1)
    return both.flatten(-2)[..., :size].contiguous()


def _register(name: str, run: Callable[..., Tensor]) -> None:
    def vmap(_info: Any, dims: Any, key: Tensor, *rest: Any) -> tuple[Tensor, int]:
        return getattr(torch.ops.sukima, name).default(key.movedim(dims[0], 0), *rest), 0

    _library.define(
        f"{name}(Tensor key, SymInt size, ScalarType dtype, Device device) -> Tensor",
        tags=(torch.Tag.pt2_compliant_tag,),
    )
    _library.impl(name, run, "CompositeExplicitAutograd")
    torch.library.register_fake(f"sukima::{name}", _fake, lib=_library)
    torch.library.register_vmap(f"sukima::{name}", vmap, lib=_library)


_library = Library("sukima", "FRAGMENT")  # torch forgets the operators with the object
_register("uniform", _from_words)
_register("normal", _normal)


def _noise(name: str, shape: Sequence[int], key: Key | Tensor, like: Tensor) -> Tensor:
    dtype = torch.float64 if like.dtype is torch.float64 else torch.float32
    made: Tensor = getattr(torch.ops.sukima, name).default(key_tensor(key), math.prod(shape), dtype, like.device)
    return made.reshape(tuple(shape))


def uniform(shape: Sequence[int], key: Key | Tensor, like: Tensor) -> Tensor:
    """Noise between 0 and 1, both excluded: float64 for a float64 ``like``, else float32, on its device."""
    return _noise("uniform", shape, key, like)


def normal(shape: Sequence[int], key: Key | Tensor, like: Tensor) -> Tensor:
    """Noise of mean 0 and variance 1, as `uniform`."""
    return _noise("normal", shape, key, like)
