"""Masks on torch tensors: those of `sukima.torch`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from sukima.keras.rate import Rate
from sukima.masks.key import MaskKey
from sukima.torch import noise
from sukima.torch.keys import of_kind
from sukima.torch.masked import put_mask
from sukima.torch.structured import keep_over

__all__ = ["fold", "keep", "masked", "new_key", "uniform"]

_WORD = 0xFFFFFFFF


def new_key(state: Any) -> Any:
    """The key that a generator's state decides: its seed and its counter are the two halves of the key's seed."""
    if torch.compiler.is_compiling():
        seed, counter = state.long() & _WORD
        return torch.stack([seed | counter << 32, torch.zeros_like(seed)])
    if state.device.type == "meta":  # Keras asks for shapes only
        return MaskKey(0)
    seed, counter = state.tolist()
    return MaskKey(seed & _WORD | (counter & _WORD) << 32)


def fold(key: Any, kind: str) -> Any:
    """The key for a kind of mask."""
    return of_kind(key, kind)


def masked(x: Any, key: Any, rate: Rate) -> Any:
    """``x`` under the mask of ``key``: kept elements times the rate's factor, the others +0."""
    return x if rate.is_off else put_mask(x, key, rate.decided, rate.factor)


def keep(shape: Sequence[int], key: Any, rate: Rate, like: Any) -> Any:
    """Which elements of ``shape`` are kept, on the device of ``like``."""
    return keep_over(tuple(shape), key, rate.decided, like.device)


def uniform(shape: Sequence[int], key: Any, like: Any) -> Any:
    """Noise between 0 and 1, both excluded, of float32, on the device of ``like``."""
    return noise.uniform(tuple(shape), key, like.float())
