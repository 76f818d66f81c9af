"""Where a mask's key comes from when the caller gives none, and keys as tensors."""

from __future__ import annotations

import threading

import torch
import torch.utils._python_dispatch
from torch import Tensor

from sukima.base.checks import check_instance
from sukima.base.errors import InputError
from sukima.masks.cpu import fold_in
from sukima.masks.jobs import signed
from sukima.masks.key import Key, MaskKey, ShardedKey, unchecked
from sukima.torch.constant import constant

__all__ = ["WORD", "draw_key", "draw_seed", "key_tensor", "keys_of", "of_kind"]

WORD = 0xFFFFFFFFFFFFFFFF


def draw_key(device: torch.device | None = None, generator: torch.Generator | None = None) -> MaskKey:
    """A key whose seed is one 64-bit draw from torch's generator.

    Args:
        device: whose default generator is drawn from; by default the CPU's.
        generator: a generator of one's own; the default one then stays as it was.

    Raises:
        InputError: ``generator`` is none.

    >>> generator = torch.Generator().manual_seed(7)
    >>> draw_key(generator=generator) == draw_key(generator=generator.manual_seed(7))
    True
    """
    if generator is not None:
        check_instance("generator", generator, torch.Generator, "a torch.Generator")
    if generator is None and (device is None or device.type == "cpu"):
        return unchecked(draw_seed() & WORD, 0)
    device = generator.device if generator is not None else device
    drawn = torch.empty((), dtype=torch.int64, device=device)
    drawn.random_(-(2**63), None, generator=generator)
    return MaskKey(int(drawn.item()) & WORD)


class _Draw(threading.local):
    """A place for the drawn number, one a thread: making it anew would take longer than the draw."""

    def __init__(self) -> None:
        with torch.inference_mode(False), torch.utils._python_dispatch._disable_current_modes():
            self.number = torch.empty((), dtype=torch.int64, device="cpu")


_draw = _Draw()


def draw_seed() -> int:
    """One draw from the CPU's default generator, as a signed 64-bit integer."""
    return _draw.number.random_(-(2**63), None).item()  # type: ignore[return-value]  # an integer tensor's item


def key_tensor(key: Key | Tensor) -> Tensor:
    """A key as two 64-bit integers, seed and stream, for graphs and transforms; raises for a shard's."""
    if isinstance(key, Tensor):
        return key
    if isinstance(key, ShardedKey):
        raise InputError(
            "key must be a MaskKey here: only masks of units and channels can be sharded, got {key}", key=key
        )
    return torch.tensor([signed(key.seed), signed(key.stream)])


def keys_of(tensor: Tensor) -> list[MaskKey]:
    """The keys in a tensor (2,) or (K, 2)."""
    return [unchecked(seed & WORD, stream & WORD) for seed, stream in tensor.reshape(-1, 2).tolist()]


@constant
def _words_of_kind(seed: int, stream: int, kind: str) -> tuple[int, int]:
    key = MaskKey(seed, stream).fold_in(kind)
    return key.seed, key.stream


def of_kind(key: Key | Tensor, kind: str) -> Key | Tensor:
    """The key for a kind of mask ("channel", "path" …), so that two kinds under one key never share words."""
    if not isinstance(key, Tensor) and torch.compiler.is_compiling():  # which cannot follow the hash of a string
        if isinstance(key, ShardedKey):
            whole = MaskKey(*_words_of_kind(key.key.seed, key.key.stream, kind))
            return whole.shard(key.shape, key.local, key.offset)
        key = key_tensor(key)
    if isinstance(key, MaskKey):
        return fold_in(key, kind)
    if not isinstance(key, Tensor):
        return key.fold_in(kind)
    folded: Tensor = torch.ops.sukima.fold_in(key, kind)
    return folded
