"""From tensors to kernels: which implementation of the mask law serves a tensor."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

from sukima.base.imports import is_installed
from sukima.masks import cpu, law, portable
from sukima.masks.compiled import Number
from sukima.masks.jobs import Dim, Shift, collapse, signed, table
from sukima.masks.key import Key, MaskKey, ShardedKey
from sukima.masks.shares import MAX_DIMS
from sukima.torch.keys import key_tensor, keys_of
from sukima.torch.memory import fresh

__all__ = [
    "NUMBERS",
    "decided",
    "dropped",
    "fold",
    "is_native",
    "masked",
    "masked_line",
    "masked_over",
    "masked_rows",
    "masked_with",
]

Spread = tuple[tuple[Dim, ...], int]

NUMBERS: dict[torch.dtype, Number] = {
    torch.float32: "float32",
    torch.float64: "float64",
    torch.bfloat16: "bfloat16",
    torch.float16: "float16",
}


def is_native(tensor: Tensor) -> bool:
    """Whether its memory may be handed to the CPU kernels."""
    return tensor.device.type == "cpu" and tensor.layout is torch.strided


def _dims(input: Tensor, out: Tensor, mask: Sequence[int] | None = None) -> list[Dim]:
    return list(zip(input.shape, input.stride(), out.stride(), mask or [0] * input.dim(), strict=True))


def _masked_shard(input: Tensor, out: Tensor, key: ShardedKey, rate: float, factor: float | None) -> Tensor:
    length, starts = key.runs()
    if input.numel() == 0:
        return out
    source = input.contiguous()
    target = out if out.is_contiguous() else torch.empty_like(source)
    number, runs = NUMBERS[input.dtype], len(starts)
    if not is_native(input):
        parts = [
            masked(part, None, key.key, rate, factor, s) for part, s in zip(source.view(runs, -1), starts, strict=True)
        ]
        return out.copy_(torch.stack(parts).view(input.shape))
    rows = table([key.key], [rate], number, [factor]).repeat(runs, axis=0)
    rows[:, 5] = starts
    threads = torch.get_num_threads()
    cpu.apply(number, source.data_ptr(), target.data_ptr(), [(length, 1, 1, 0)], rows, (length, length), threads)
    return out if target is out else out.copy_(target)


def masked_line(
    input: Tensor, out: Tensor | None, number: Number, seed: int, stream: int, rate: float, factor: float | None
) -> Tensor:
    """`masked` for contiguous tensors on the CPU and a key as signed integers: what most calls are, nothing to ask."""
    if out is None:
        out = fresh(input)
    threads, size = torch.get_num_threads(), input.numel()
    cpu.apply_line(number, input.data_ptr(), out.data_ptr(), size, seed, stream, rate, factor, threads)
    return out


def masked(
    input: Tensor, out: Tensor | None, key: Key, rate: float, factor: float | None = None, first: int = 0,
    shift: Shift | None = None,
) -> Tensor:  # fmt: skip
    """``input`` under the key's mask, into ``out`` (which may be the input) or a new tensor of its layout.

    With ``shift``, for native tensors and whole keys, its first number is added to what is kept, and its second stands
    in the place of 0.
    """
    if out is None:
        out = fresh(input)
    if isinstance(key, ShardedKey):
        return _masked_shard(input, out, key, rate, factor)
    number = NUMBERS[input.dtype]
    if not is_native(input):
        return _masked_elsewhere(input, out, key, rate, factor, first)
    x, y, threads = input.data_ptr(), out.data_ptr(), torch.get_num_threads()
    seed, stream, begin = signed(key.seed), signed(key.stream), signed(first)
    in_order = input.is_contiguous() and out.is_contiguous()
    if in_order and shift is None:
        cpu.apply_line(number, x, y, input.numel(), seed, stream, rate, factor, threads, begin)
        return out
    dims = ((input.numel(), 1, 1, 0),) if in_order else tuple(_dims(input, out))
    if cpu.apply_layout(number, x, y, dims, seed, stream, rate, factor, threads, begin, shift):
        return out
    return out.copy_(masked(input.contiguous(), None, key, rate, factor, first, shift))


def _masked_elsewhere(
    input: Tensor, out: Tensor, key: MaskKey, rate: float, factor: float | None, first: int
) -> Tensor:
    """In Triton on a GPU, in torch's own operations on any other device."""
    if input.device.type == "cuda" and is_installed("triton") and input.dtype != torch.float64:
        from sukima.masks import gpu

        made = torch.empty_like(input, memory_format=torch.contiguous_format)
        gpu.apply(input.contiguous(), made, key_tensor(key).to(input.device), rate, factor, first)
        return out.copy_(made)

    def arange(count: int) -> Tensor:
        return torch.arange(count, dtype=torch.int32, device=input.device)

    kept = portable.keep(key, rate, input.numel(), first, xp=torch, arange=arange).view(input.shape)
    scaled = input * (law.scale(rate) if factor is None else factor)
    return out.copy_(torch.where(kept, scaled, torch.zeros((), dtype=input.dtype, device=input.device)))


def masked_rows(
    input: Tensor,
    out: Tensor | None,
    axis: int,
    keys: Sequence[MaskKey],
    rates: Sequence[float],
    factor: float | None = None,
) -> Tensor:
    """As `masked`, with a key and a rate of its own for each index along ``axis``; elements are numbered within it."""
    if out is None:
        out = fresh(input)
    number = NUMBERS[input.dtype]
    if not is_native(input):
        pairs = zip(input.unbind(axis), keys, rates, strict=True)
        return out.copy_(torch.stack([masked(each, None, key, rate, factor) for each, key, rate in pairs], axis))
    dims = _dims(input, out)
    _, xs, ys, _ = dims.pop(axis)
    dims = collapse(dims)
    if len(dims) > MAX_DIMS:
        return out.copy_(masked_rows(input.contiguous(), None, axis, keys, rates, factor))
    rows = table(keys, rates, number, [factor] * len(keys))
    cpu.apply(number, input.data_ptr(), out.data_ptr(), dims, rows, (xs, ys), torch.get_num_threads())
    return out


@lru_cache(1024)
def _structured(shape: tuple[int, ...], xs: tuple[int, ...], ys: tuple[int, ...], mask: tuple[int, ...]) -> Spread:
    """Dimensions with the strides of a mask of the shape ``mask``, and how many decisions that has."""
    strides, count = [], 1
    for size in reversed(mask):
        strides.append(0 if size == 1 else count)
        count *= size
    return tuple(zip(shape, xs, ys, reversed(strides), strict=True)), count


def masked_over(
    input: Tensor, out: Tensor | None, shape: tuple[int, ...], key: MaskKey, rate: float, factor: float | None = None,
    shift: Shift | None = None,
) -> Tensor:  # fmt: skip
    """As `masked`, with a mask of ``shape`` (1 or the input's size in each dimension) that is repeated over it."""
    if out is None:
        out = fresh(input)
    dims, count = _structured(input.shape, input.stride(), out.stride(), shape)
    if not is_native(input) or _too_many(dims):
        kept = torch.from_numpy(cpu.keep(key, rate, count)).view(shape).to(input.device)
        return out.copy_(_where(kept, input, law.scale(rate) if factor is None else factor, shift))
    number, threads = NUMBERS[input.dtype], torch.get_num_threads()
    cpu.apply_over(number, input.data_ptr(), out.data_ptr(), dims, count, key, rate, factor, threads, shift)
    return out


def masked_with(input: Tensor, out: Tensor | None, kept: Tensor, factor: float) -> Tensor:
    """``input`` where ``kept`` (boolean, broadcast to it) times ``factor``, else +0."""
    if out is None:
        out = fresh(input)
    dims = tuple(_dims(input, out, kept.expand(input.shape).stride()))
    if not is_native(input) or _too_many(dims):
        return out.copy_(_where(kept, input, factor))
    decisions = kept.numpy()
    cpu.spread(NUMBERS[input.dtype], input.data_ptr(), out.data_ptr(), dims, decisions, factor, torch.get_num_threads())
    return out


def _too_many(dims: Sequence[Dim]) -> bool:
    return len(dims) > MAX_DIMS and len(collapse(dims)) > MAX_DIMS


def _where(kept: Tensor, input: Tensor, factor: float, shift: Shift | None = None) -> Tensor:
    high, low = shift or (0.0, 0.0)
    scaled = input * factor if shift is None else input * factor + high
    return torch.where(kept, scaled, torch.full((), low, dtype=input.dtype, device=input.device))


def dropped(
    input: Tensor,
    key: Tensor,
    rates: Tensor | None,
    p: float,
    factor: float | None,
    axis: int,
    whole: Sequence[int] | None = None,
    offset: Sequence[int] | None = None,
) -> Tensor:
    """``input`` under the masks of ``key``: (2,) for the whole, or (K, 2) for each index along ``axis``.

    ``rates``, if given, takes the place of ``p``: one, or K. With ``whole`` and ``offset`` the input, or what lies at
    each index, is the block at ``offset`` of a tensor of the shape ``whole``.
    """
    keys = keys_of(key)
    each = [p] * len(keys) if rates is None else rates.double().reshape(-1).tolist()
    if axis < 0:
        part = keys[0] if whole is None or offset is None else keys[0].shard(whole, input.shape, offset)
        return masked(input, None, part, each[0], factor)
    count = input.shape[axis]
    if whole is not None and offset is not None:
        rows = zip(input.unbind(axis), keys * (count // len(keys)), each * (count // len(each)), strict=True)
        shards = ((row, k.shard(whole, row.shape, offset), rate) for row, k, rate in rows)
        return torch.stack([masked(row, None, part, rate, factor) for row, part, rate in shards], axis)
    return masked_rows(input, None, axis, keys * (count // len(keys)), each * (count // len(each)), factor)


def decided(key: Tensor, rates: Tensor | None, p: float, size: int, device: torch.device) -> Tensor:
    """Which of ``size`` elements are kept, as booleans: (size,) for a key (2,), (K, size) for K keys."""
    keys = keys_of(key)
    each = [p] * len(keys) if rates is None else rates.double().reshape(-1).tolist() * (len(keys) // rates.numel())
    kept = [torch.from_numpy(cpu.keep(k, r, size)) for k, r in zip(keys, each, strict=True)]
    return torch.stack(kept).reshape(*key.shape[:-1], size).to(device)


def fold(key: Tensor, value: str | Tensor) -> Tensor:
    """`MaskKey.fold_in` of a string or an integer tensor of one element, for a key (2,) or each of (K, 2)."""
    word = value if isinstance(value, str) else int(value.item()) & 0xFFFFFFFFFFFFFFFF
    return torch.stack([key_tensor(each.fold_in(word)) for each in keys_of(key)]).reshape(key.shape)
