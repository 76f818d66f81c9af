"""The mask law compiled by Numba, for the CPU: the names of `sukima.masks.law`, and masks put on memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from sukima.masks import law, team
from sukima.masks.cache import caching
from sukima.masks.compiled import Kind, Number, start, start_job, start_layout, start_structure, worker
from sukima.masks.kernels import (
    AHEAD,
    ALONG,
    AT_ONCE,
    CHUNKS,
    DIMS,
    FIELDS,
    HIGH,
    JOB,
    KEPT,
    LOW,
    MAX_DIMS,
    NEXT,
    RANK,
    ROOM,
    SHARE,
    SIZE,
    TABLE,
    TILE,
    X,
    Y,
    chunk_of,
)
from sukima.masks.key import FOLD_STR, MaskKey, number_of, unchecked
from sukima.masks.law import bits, scale, threshold
from sukima.masks.philox import LANES, fill, folded

__all__ = [
    "MAX_DIMS",
    "Dim",
    "Job",
    "Shift",
    "apply",
    "apply_layout",
    "apply_line",
    "apply_over",
    "bits",
    "collapse",
    "fold_in",
    "keep",
    "normal",
    "scale",
    "signed",
    "spread",
    "table",
    "threshold",
    "words",
]

Dim = tuple[int, int, int, int]  # length, and strides in x, y and (where there is one) the mask, in elements
Table = npt.NDArray[np.uint64]
Shift = tuple[float, float]  # what is added to kept elements, and what dropped ones become

# Below this many elements a second thread costs more than it saves.
PARALLEL = 48 * 1024


@cache
def _fill() -> Any:
    with caching() as kept:

        def run(buffer: Any, first: Any, blocks: Any, seed: Any, stream: Any) -> None:
            fill(buffer, first, blocks, seed, stream)

        return njit("void(uint64[::1], uint64, int64, uint64, uint64)", nogil=True, cache=kept)(run)


def words(key: MaskKey, blocks: int, first: int = 0) -> law.Words:
    """As `sukima.masks.law.words`."""
    ahead = first % LANES
    groups = -(-(ahead + blocks) // LANES)
    out = np.empty(2 * LANES * groups, np.uint64)
    # Block numbers wrap at 2**64, as a group of lanes must not: it begins at a multiple of LANES, which divides that.
    _fill()(out, np.uint64(first - ahead), LANES * groups, np.uint64(key.seed), np.uint64(key.stream))
    return out.view("<u4").reshape(-1, 4)[ahead : ahead + blocks]


@cache
def _fold() -> Any:
    with caching() as kept:

        def run(seed: Any, stream: Any, number: Any, domain: Any) -> Any:
            return folded(seed, stream, number, domain)

        return njit("UniTuple(uint64, 2)(uint64, uint64, uint64, uint64)", nogil=True, cache=kept)(run)


def fold_in(key: MaskKey, name: str) -> MaskKey:
    """As ``key.fold_in(name)``, for names that come again and again."""
    return unchecked(*_fold()(key.seed, key.stream, number_of(name), FOLD_STR))


def keep(key: MaskKey, rate: float, size: int, offset: int = 0) -> npt.NDArray[np.bool_]:
    """As `sukima.masks.law.keep`."""
    dropped, width = threshold(rate), bits(rate)
    a_block = 128 // width
    first = offset // a_block
    blocks = (offset + size + a_block - 1) // a_block - first if size else 0
    flat: Any = words(key, blocks, first).view(f"<u{width // 8}").ravel()
    begin = offset - first * a_block
    return np.asarray(flat[begin : begin + size] >= dropped)


@lru_cache(1024)
def _constants(rate: float, factor: float | None, number: Number) -> tuple[int, int, int]:
    """Threshold, bits, and the factor's pattern in the type of the arithmetic."""
    return threshold(rate), bits(rate), _pattern(scale(rate) if factor is None else factor, number)


def _pattern(value: float, number: Number) -> int:
    """A float in the type of the arithmetic, as an integer."""
    return int(np.float64(value).view(np.int64) if number == "float64" else np.float32(value).view(np.int32))


def apply_line(
    number: Number,
    x: int,
    y: int,
    size: int,
    seed: int,
    stream: int,
    rate: float,
    factor: float | None,
    threads: int,
    first: int = 0,
) -> None:
    """Put one mask on ``size`` elements that lie in its order at the address ``x``, into ``y``; both may be one.

    Seed, stream and first index are given as signed 64-bit integers with the same pattern.
    """
    dropped, width, pattern = _constants(rate, factor, number)
    crew = team.team()
    if size < PARALLEL:
        threads = 1
    elif threads > 1 and not crew:
        rows = np.array([[seed, stream, dropped, width, pattern, first]], np.int64).view(np.uint64)
        return _run("walk", number, x, y, [(size, 1, 1, 0)], rows, (0, 0), threads)
    work = worker("walk", number)
    start()(work, crew, threads, x, y, size, seed, stream, dropped, width, pattern, first)
    return None


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
    constants = [_constants(r, f, number) for r, f in zip(rates, factors, strict=True)]
    rows[:, 2:5] = np.array(constants, np.int64).reshape(-1, 3).view(np.uint64)
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
def _layout(
    dims: tuple[Dim, ...], threads: int, number: Number, shift: Shift | None
) -> tuple[npt.NDArray[np.int64], int, int, Kind] | None:
    """A job of one row, but for what it works on and the mask, its address, size and kind; ``None``: too many dims."""
    fewer = collapse(dims)
    if len(fewer) > MAX_DIMS:
        return None
    kind, nothing = _kind(fewer) if all(dim[0] for dim in fewer) else "walk", np.zeros((1, FIELDS), np.uint64)
    job = _job(kind, 0, 0, fewer, nothing, (0, 0), threads)
    _set_shift(job, number, shift)
    return job, job.ctypes.data, int(job[SIZE]), kind


def apply_layout(
    number: Number, x: int, y: int, dims: tuple[Dim, ...], seed: int, stream: int, rate: float, factor: float | None,
    threads: int, first: int = 0, shift: Shift | None = None,
) -> bool:  # fmt: skip
    """As `apply_line`, on data of any layout, then shifted; false where there are more than ``MAX_DIMS`` dimensions."""
    if (known := _layout(dims, threads, number, shift)) is None:
        return False
    job, template, size, kind = known
    if not size:
        return True
    work = worker(kind, number, shift is not None)
    dropped, width, pattern = _constants(rate, factor, number)
    crew = team.team()
    if size < PARALLEL:
        threads = 1
    elif threads > 1 and not crew:
        rows = np.array([[seed, stream, dropped, width, pattern, first]], np.int64)
        job = job.copy()
        job[X], job[Y], job[TABLE] = x, y, rows.ctypes.data
        _go(job, work, size, threads)
        return True
    start_layout()(work, crew, threads, template, x, y, seed, stream, dropped, width, pattern, first)
    return True


def _kind(dims: Sequence[Dim]) -> Kind:
    return "turned" if len(dims) > 1 and dims[-2][1] == dims[-2][2] == 1 != dims[-1][1] else "walk"


def apply(
    number: Number, x: int, y: int, dims: Sequence[Dim], rows: Table, strides: tuple[int, int], threads: int
) -> None:
    """Put a mask for each row of ``rows`` on data of any layout.

    Args:
        number: the type of the data at the addresses ``x`` and ``y``, which may be one.
        x: the address of the input.
        y: the address of the output.
        dims: what one mask covers, in the mask's order; at most ``MAX_DIMS`` after `collapse`.
        rows: from `table`.
        strides: how far apart rows lie in x and in y, in elements.
        threads: how many may work on it.
    """
    dims = collapse(dims)
    _run(_kind(dims), number, x, y, dims, rows, strides, threads)


class Job:
    """Masks on rows that lie in their order in memory, to be put there again and again with new seeds.

    Args:
        number: the type of the data.
        x: the address of the input.
        y: the address of the output, which may be that of the input.
        size: how many elements a row has.
        apart: how far apart rows lie, in elements.
        rows: from `table`.
        threads: how many may work on it.
    """

    def __init__(self, number: Number, x: int, y: int, size: int, apart: int, rows: Table, threads: int) -> None:
        self._rows, self._size, self._threads = rows, size * len(rows), threads
        self._job = _job("walk", x, y, [(size, 1, 1, 0)], rows, (apart, apart), threads)
        self._work = worker("walk", number)

    def run(self, seeds: npt.NDArray[np.uint64]) -> None:
        """Put them, with these seeds, one a row."""
        self._rows[:, 0] = seeds
        self._job[NEXT] = 0
        _go(self._job, self._work, self._size, self._threads)


def normal(y: int, size: int, key: MaskKey, threads: int) -> None:
    """Write ``size`` float32 of normal noise, mean 0 and variance 1, to the address ``y``."""
    rows = table([key], [0], "float32")
    _run("normal", "float32", 0, y, [(size, 1, 1, 0)], rows, (0, 0), threads)


@lru_cache(1024)
def _structure(
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
    job = np.zeros(JOB, np.int64)
    job[CHUNKS : SIZE + 1] = -(-size // length // tall) * pieces, pieces, size
    job[RANK], job[AHEAD], job[ALONG] = len(ordered), tall, piece
    job[DIMS : DIMS + 4 * len(ordered)] = np.array(ordered).ravel()
    _set_shift(job, number, shift)
    return job, job.ctypes.data, size


def _set_shift(job: npt.NDArray[np.int64], number: Number, shift: Shift | None) -> None:
    if shift is not None:
        job[HIGH], job[LOW] = (_pattern(value, number) for value in shift)


def spread(
    number: Number, x: int, y: int, dims: tuple[Dim, ...], kept: npt.NDArray[np.bool_], factor: float, threads: int,
    shift: Shift | None = None,
) -> None:  # fmt: skip
    """Put decisions on data of which each decides several elements; ``dims`` have their strides in ``kept`` too."""
    template, _, size = _structure(dims, threads, number, shift)
    rows = table([MaskKey(0)], [0], number, [factor])
    job = template.copy()
    job[X], job[Y], job[TABLE], job[KEPT] = x, y, rows.ctypes.data, kept.ctypes.data
    _go(job, worker("broadcast", number, shift is not None), size, threads)


def apply_over(
    number: Number, x: int, y: int, dims: tuple[Dim, ...], decisions: int, key: MaskKey, rate: float,
    factor: float | None, threads: int, shift: Shift | None = None,
) -> None:  # fmt: skip
    """As `spread`, with the first ``decisions`` elements of a key's mask."""
    _, template, size = _structure(dims, threads, number, shift)
    crew = team.team()
    if threads > 1 and size >= PARALLEL and not crew:
        value = scale(rate) if factor is None else factor
        return spread(number, x, y, dims, keep(key, rate, decisions), value, threads, shift)
    dropped, width, pattern = _constants(rate, factor, number)
    if size:
        start_structure()(
            worker("broadcast", number, shift is not None), crew, threads if size >= PARALLEL else 1, template, x, y,
            decisions, signed(key.seed), signed(key.stream), dropped, width, pattern,
        )  # fmt: skip
    return None


def _run(
    kind: Kind, number: Number, x: int, y: int, dims: Sequence[Dim], rows: Table, strides: tuple[int, int],
    threads: int,
) -> None:  # fmt: skip
    if len(dims) > MAX_DIMS:
        raise ValueError(f"{len(dims)} dimensions; at most {MAX_DIMS} after collapsing")
    if not all(dim[0] for dim in dims):
        return
    job = _job(kind, x, y, dims, rows, strides, threads)
    _go(job, worker(kind, number), int(job[SIZE]) * len(rows), threads)


def _job(
    kind: Kind, x: int, y: int, dims: Sequence[Dim], rows: Table, strides: tuple[int, int], threads: int
) -> npt.NDArray[np.int64]:
    size = math.prod(dim[0] for dim in dims)
    job = np.zeros(JOB, np.int64)
    if kind == "turned":
        split, ahead, along = _tiles(dims)
    else:
        along = chunk_of.py_func(size, threads)
        split, ahead = -(-size // along), 0
    chunks = split * len(rows)
    job[CHUNKS : AT_ONCE + 1] = (
        chunks, split, size, x, y, rows.ctypes.data, *strides, len(dims), 0, ahead, along,
        max(1, chunks // (SHARE * threads)),
    )  # fmt: skip
    job[DIMS : DIMS + 4 * len(dims)] = np.array(dims).ravel()
    return job


def _go(job: npt.NDArray[np.int64], work: int, size: int, threads: int) -> None:
    """Run a job on as many threads as its size is worth."""
    if size == 0:
        return
    threads = 1 if size < PARALLEL else threads
    if threads > 1 and not team.team():
        team.run_on_pool(work, job.ctypes.data, threads)
    else:
        start_job()(work, team.team(), threads, job.ctypes.data)


def _tiles(dims: Sequence[Dim]) -> tuple[int, int, int]:
    """How a turned job is cut: chunks a row, and the tile's extents."""
    deep, long = dims[-2][0], dims[-1][0]
    ahead = min(deep, 128)
    along = long if ahead * long <= ROOM else max(TILE // 2, ROOM // ahead // 128 * 128)
    outer = int(np.prod([dim[0] for dim in dims[:-2]]))
    return outer * -(-deep // ahead) * -(-long // along), ahead, along
