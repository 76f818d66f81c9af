"""How masks are laid on memory, as the jobs that the compiled kernels take: rows, dimensions, tiles, shifts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from sukima.masks.compiled import Kind, Number
from sukima.masks.kernels import ROOM
from sukima.masks.key import MaskKey
from sukima.masks.law import bits, scale, threshold
from sukima.masks.shares import (
    AHEAD,
    ALONG,
    CHUNKS,
    DIMS,
    FIELDS,
    HIGH,
    LOW,
    MAX_DIMS,
    RANK,
    SIZE,
    TILE,
    chunk_of,
    room,
)

__all__ = [
    "Dim", "Shift", "Table", "broadcast_job", "collapse", "constants", "job_of", "kind_of", "layout_job",
    "signed", "table",
]  # fmt: skip

Dim = tuple[int, int, int, int]  # length, and strides in x, y and (where there is one) the mask, in elements
Table = npt.NDArray[np.uint64]
Shift = tuple[float, float]  # what is added to kept elements, and what dropped ones become


@lru_cache(1024)
def constants(rate: float, factor: float | None, number: Number) -> tuple[int, int, int]:
    """Threshold, bits, and the factor's pattern in the type of the arithmetic."""
    return threshold(rate), bits(rate), _pattern(scale(rate) if factor is None else factor, number)


def _pattern(value: float, number: Number) -> int:
    """A float in the type of the arithmetic, as an integer."""
    return int(np.float64(value).view(np.int64) if number == "float64" else np.float32(value).view(np.int32))


def signed(word: int) -> int:
    """The signed 64-bit integer with the pattern of an unsigned one."""
    return word - (1 << 64) if word >> 63 else word


def table(
    keys: Sequence[MaskKey],
    rates: Sequence[float],
    number: Number,
    factors: Sequence[float | None] | None = None,
    firsts: Sequence[int] | None = None,
) -> Table:
    """One row for each mask: seed, stream, threshold, bits, factor, first index."""
    rows = np.zeros((len(keys), FIELDS), np.uint64)
    factors = factors if factors is not None else [None] * len(keys)
    rows[:, 0] = [key.seed for key in keys]
    rows[:, 1] = [key.stream for key in keys]
    each = [constants(r, f, number) for r, f in zip(rates, factors, strict=True)]
    rows[:, 2:5] = np.array(each, np.int64).reshape(-1, 3).view(np.uint64)
    if firsts is not None:
        rows[:, 5] = firsts
    return rows


def collapse(dims: Sequence[Dim]) -> list[Dim]:
    """The same elements in the same order with as few dimensions as can be; at least one."""
    out: list[Dim] = []
    for dim in dims:
        if dim[0] == 1:
            continue
        if out and all(out[-1][k] == dim[0] * dim[k] for k in (1, 2, 3)):
            out[-1] = (out[-1][0] * dim[0], *dim[1:])
        else:
            out.append(dim)
    return out or [(1, 1, 1, 1)]


@lru_cache(1024)
def layout_job(
    dims: tuple[Dim, ...], threads: int, number: Number, shift: Shift | None
) -> tuple[npt.NDArray[np.int64], int, int, Kind] | None:
    """A job of one row, but for what it works on and the mask, its address, size and kind; ``None``: too many dims."""
    fewer = collapse(dims)
    if len(fewer) > MAX_DIMS:
        return None
    kind, nothing = kind_of(fewer) if all(dim[0] for dim in fewer) else "walk", np.zeros((1, FIELDS), np.uint64)
    job = job_of(kind, 0, 0, fewer, nothing, (0, 0), threads)
    _set_shift(job, number, shift)
    return job, job.ctypes.data, int(job[SIZE]), kind


def kind_of(dims: Sequence[Dim]) -> Kind:
    """The kernel for collapsed dimensions: ``turned`` where the last but one lies together in memory."""
    return "turned" if len(dims) > 1 and dims[-2][1] == dims[-2][2] == 1 != dims[-1][1] else "walk"


@lru_cache(1024)
def broadcast_job(
    dims: tuple[Dim, ...], threads: int, number: Number, shift: Shift | None = None
) -> tuple[npt.NDArray[np.int64], int, int]:
    """A job, but for what it works on, that puts decisions on data; its address and the size of the data."""
    # The order is free here, so that of memory is taken.
    ordered = collapse(sorted(dims, key=lambda dim: -dim[2]))
    if len(ordered) > MAX_DIMS:
        raise ValueError(f"{len(ordered)} dimensions; at most {MAX_DIMS} after collapsing")
    size, length = math.prod(dim[0] for dim in ordered), max(1, ordered[-1][0])
    chunk = chunk_of.py_func(size, threads)
    tall, piece = max(1, chunk // length), min(length, chunk)
    pieces = -(-length // piece)
    job = np.zeros(room.py_func(threads), np.int64)
    job[CHUNKS : SIZE + 1] = -(-size // length // tall) * pieces, pieces, size
    job[RANK], job[AHEAD], job[ALONG] = len(ordered), tall, piece
    job[DIMS : DIMS + 4 * len(ordered)] = np.array(ordered).ravel()
    _set_shift(job, number, shift)
    return job, job.ctypes.data, size


def _set_shift(job: npt.NDArray[np.int64], number: Number, shift: Shift | None) -> None:
    if shift is not None:
        job[HIGH], job[LOW] = (_pattern(value, number) for value in shift)


def job_of(
    kind: Kind, x: int, y: int, dims: Sequence[Dim], rows: Table, strides: tuple[int, int], threads: int
) -> npt.NDArray[np.int64]:
    """A job on rows at the addresses ``x`` and ``y``, whose parts lie ``strides`` apart; dimensions are collapsed."""
    size = math.prod(dim[0] for dim in dims)
    job = np.zeros(room.py_func(threads), np.int64)
    if kind == "turned":
        split, ahead, along = _tiles(dims)
    else:
        along = chunk_of.py_func(size, threads)
        split, ahead = -(-size // along), 0
    job[CHUNKS : ALONG + 1] = (
        split * len(rows), split, size, x, y, rows.ctypes.data, *strides, len(dims), 0, ahead, along,
    )  # fmt: skip
    job[DIMS : DIMS + 4 * len(dims)] = np.array(dims).ravel()
    return job


def _tiles(dims: Sequence[Dim]) -> tuple[int, int, int]:
    """How a turned job is cut: chunks a row, and the tile's extents."""
    deep, long = dims[-2][0], dims[-1][0]
    ahead = min(deep, 128)
    along = long if ahead * long <= ROOM else max(TILE // 2, ROOM // ahead // 128 * 128)
    outer = int(np.prod([dim[0] for dim in dims[:-2]]))
    return outer * -(-deep // ahead) * -(-long // along), ahead, along
