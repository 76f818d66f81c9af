"""The mask law compiled by Numba, for the CPU: the names of `sukima.masks.law`, and masks put on memory."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from sukima.masks import law, team
from sukima.masks.cache import caching
from sukima.masks.compiled import Kind, Number, start, start_job, start_layout, start_structure, worker
from sukima.masks.jobs import (
    Dim,
    Shift,
    Table,
    broadcast_job,
    collapse,
    constants,
    job_of,
    kind_of,
    layout_job,
    signed,
    table,
)  # fmt: skip
from sukima.masks.key import FOLD_STR, MaskKey, number_of, unchecked
from sukima.masks.law import bits, scale, threshold
from sukima.masks.philox import LANES, fill, folded
from sukima.masks.shares import BEGUN, COUNTERS, KEPT, MAX_DIMS, PARTS, SIZE, TABLE, WHO, X, Y

__all__ = [
    "Job", "apply", "apply_layout", "apply_line", "apply_over", "bits", "fold_in", "keep", "normal", "scale", "spread",
    "threshold", "words",
]  # fmt: skip

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
    dropped, width, pattern = constants(rate, factor, number)
    crew = team.team()
    if size < PARALLEL:
        threads = 1
    elif threads > 1 and not crew:
        rows = np.array([[seed, stream, dropped, width, pattern, first]], np.int64).view(np.uint64)
        return _run("walk", number, x, y, [(size, 1, 1, 0)], rows, (0, 0), threads)
    work = worker("walk", number)
    start()(work, crew, threads, x, y, size, seed, stream, dropped, width, pattern, first)
    return None


def apply_layout(
    number: Number, x: int, y: int, dims: tuple[Dim, ...], seed: int, stream: int, rate: float, factor: float | None,
    threads: int, first: int = 0, shift: Shift | None = None,
) -> bool:  # fmt: skip
    """As `apply_line`, on data of any layout, then shifted; false where there are more than ``MAX_DIMS`` dimensions."""
    if (known := layout_job(dims, threads, number, shift)) is None:
        return False
    job, template, size, kind = known
    if not size:
        return True
    work = worker(kind, number, shift is not None)
    dropped, width, pattern = constants(rate, factor, number)
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
    _run(kind_of(dims), number, x, y, dims, rows, strides, threads)


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
        self._job = job_of("walk", x, y, [(size, 1, 1, 0)], rows, (apart, apart), threads)
        self._work = worker("walk", number)

    def run(self, seeds: npt.NDArray[np.uint64]) -> None:
        """Put them, with these seeds, one a row."""
        self._rows[:, 0] = seeds
        _go(self._job, self._work, self._size, self._threads)


def normal(y: int, size: int, key: MaskKey, threads: int) -> None:
    """Write ``size`` float32 of normal noise, mean 0 and variance 1, to the address ``y``."""
    rows = table([key], [0], "float32")
    _run("normal", "float32", 0, y, [(size, 1, 1, 0)], rows, (0, 0), threads)


def spread(
    number: Number, x: int, y: int, dims: tuple[Dim, ...], kept: npt.NDArray[np.bool_], factor: float, threads: int,
    shift: Shift | None = None,
) -> None:  # fmt: skip
    """Put decisions on data of which each decides several elements; ``dims`` have their strides in ``kept`` too."""
    template, _, size = broadcast_job(dims, threads, number, shift)
    rows = table([MaskKey(0)], [0], number, [factor])
    job = template.copy()
    job[X], job[Y], job[TABLE], job[KEPT] = x, y, rows.ctypes.data, kept.ctypes.data
    _go(job, worker("broadcast", number, shift is not None), size, threads)


def apply_over(
    number: Number, x: int, y: int, dims: tuple[Dim, ...], decisions: int, key: MaskKey, rate: float,
    factor: float | None, threads: int, shift: Shift | None = None,
) -> None:  # fmt: skip
    """As `spread`, with the first ``decisions`` elements of a key's mask."""
    _, template, size = broadcast_job(dims, threads, number, shift)
    crew = team.team()
    if threads > 1 and size >= PARALLEL and not crew:
        value = scale(rate) if factor is None else factor
        return spread(number, x, y, dims, keep(key, rate, decisions), value, threads, shift)
    dropped, width, pattern = constants(rate, factor, number)
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
    job = job_of(kind, x, y, dims, rows, strides, threads)
    _go(job, worker(kind, number), int(job[SIZE]) * len(rows), threads)


def _go(job: npt.NDArray[np.int64], work: int, size: int, threads: int) -> None:
    """Run a job on as many threads as its size is worth."""
    if size == 0:
        return
    threads = 1 if size < PARALLEL else threads
    if threads > 1 and not team.team():
        job[BEGUN], job[WHO], job[PARTS], job[COUNTERS:] = 0, 0, threads, 0
        team.run_on_pool(work, job.ctypes.data, threads)
    else:
        start_job()(work, team.team(), threads, job.ctypes.data)
