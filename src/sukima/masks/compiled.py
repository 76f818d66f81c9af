"""Machine code for each kind of job and type of number, compiled when first needed and kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Literal

import numpy as np
from numba import carray, cfunc, njit

from sukima.masks.cache import caching
from sukima.masks.fused import GROUP
from sukima.masks.kernels import turned, walk
from sukima.masks.machine import address_of, at, hold
from sukima.masks.normal import normal
from sukima.masks.shares import (
    JOB,
    KEPT,
    TABLE,
    X,
    Y,
    do_job,
    room,
    set_line,
)
from sukima.masks.structure import broadcast, decide

__all__ = ["Kind", "Number", "start", "start_job", "start_layout", "start_structure", "worker"]

Kind = Literal["walk", "turned", "broadcast", "normal"]
Number = Literal["float32", "float64", "bfloat16", "float16"]

# The type in memory, the type of the arithmetic, and bytes in memory.
_NUMBERS: dict[str, tuple[Any, Any, int]] = {
    "float32": (np.float32(0), np.float32(0), 4),
    "float64": (np.float64(0), np.float64(0), 8),
    "bfloat16": (np.uint16(0), np.float32(0), 2),
    "float16": (np.int16(0), np.float32(0), 2),
}


# One maker a kind. What a function closes over is part of its name in the cache on disk and must be the same bytes
# in every process: numbers are, compiled functions are not.
def _walk(like: Any, one: Any, width: int, moves: bool | None) -> Callable[[Any], None]:
    def work(job: Any) -> None:
        walk(job, like, one, width, moves)

    return work


def _turned(like: Any, one: Any, width: int, moves: bool | None) -> Callable[[Any], None]:
    def work(job: Any) -> None:
        turned(job, like, one, width, moves)

    return work


def _broadcast(like: Any, one: Any, width: int, moves: bool | None) -> Callable[[Any], None]:
    def work(job: Any) -> None:
        broadcast(job, like, one, width, moves)

    return work


def _normal(like: Any, _one: Any, width: int, _moves: bool | None) -> Callable[[Any], None]:
    def work(job: Any) -> None:
        normal(job, like, width)

    return work


_KINDS = {"walk": _walk, "turned": _turned, "broadcast": _broadcast, "normal": _normal}


@cache
def worker(kind: Kind, number: Number, shifted: bool = False) -> int:
    """The address of a C function that takes a job's address and works on it; ``shifted``: one that has a shift."""
    work = _KINDS[kind](*_NUMBERS[number], shifted or None)
    work.__qualname__ = work.__name__ = f"{kind}_{number}{'_shifted' if shifted else ''}"
    with caching() as kept:
        made = cfunc("void(int64)", cache=kept)(work)
    _alive.append(made)
    return int(made.address)


_alive: list[Any] = []  # an address lives as long as its function


@cache
def start() -> Callable[..., None]:
    """The function that starts a job of one row in one dimension, with the least possible overhead.

    ``(work, team, threads, x, y, size, seed, stream, dropped, bits, factor, first)``, all 64-bit integers.
    """

    def run(
        work: Any, team: Any, threads: Any, x: Any, y: Any, size: Any,
        seed: Any, stream: Any, dropped: Any, bits: Any, factor: Any, first: Any,
    ) -> None:  # fmt: skip
        space = np.empty(room(threads), np.int64)
        job = address_of(space)
        set_line(space, job, threads, x, y, size, seed, stream, dropped, bits, factor, first)
        do_job(work, team, threads, job)
        hold(space)

    return _compiled(run, 12)


@cache
def start_job() -> Callable[..., None]:
    """The function that starts a job that exists: ``(work, team, threads, job)``, all 64-bit integers."""

    def run(work: Any, team: Any, threads: Any, job: Any) -> None:
        do_job(work, team, threads, job)

    return _compiled(run, 4)


@cache
def start_layout() -> Callable[..., None]:
    """The function that starts a copy of a job of one row.

    ``(work, team, threads, job, x, y, seed, stream, dropped, bits, factor, first)``, all 64-bit integers.
    """

    def run(
        work: Any, team: Any, threads: Any, template: Any, x: Any, y: Any,
        seed: Any, stream: Any, dropped: Any, bits: Any, factor: Any, first: Any,
    ) -> None:  # fmt: skip
        space = np.empty(room(threads), np.int64)
        job = address_of(space)
        space[:JOB] = carray(at(template, np.int64(0)), JOB)
        space[X], space[Y], space[TABLE] = x, y, job + 8 * JOB
        space[JOB], space[JOB + 1], space[JOB + 2] = seed, stream, dropped
        space[JOB + 3], space[JOB + 4], space[JOB + 5] = bits, factor, first
        do_job(work, team, threads, job)
        hold(space)

    return _compiled(run, 12)


@cache
def start_structure() -> Callable[..., None]:
    """The function that makes the decisions of a mask and starts a copy of a job of the kind ``broadcast`` with them.

    ``(work, team, threads, job, x, y, decisions, seed, stream, dropped, bits, factor)``, all 64-bit integers.
    """

    def run(
        work: Any, team: Any, threads: Any, template: Any, x: Any, y: Any, decisions: Any,
        seed: Any, stream: Any, dropped: Any, bits: Any, factor: Any,
    ) -> None:  # fmt: skip
        space, kept = np.empty(room(threads), np.int64), np.empty(decisions + 2 * GROUP, np.uint8)
        job, first = address_of(space), address_of(kept)
        decide(first, decisions, np.uint64(seed), np.uint64(stream), np.uint64(dropped), bits)
        space[:JOB] = carray(at(template, np.int64(0)), JOB)
        space[X], space[Y], space[KEPT], space[TABLE] = x, y, first, job + 8 * JOB
        space[JOB + 4] = factor
        do_job(work, team, threads, job)
        hold(space)
        hold(kept)

    return _compiled(run, 12)


def _compiled(run: Callable[..., None], arguments: int) -> Callable[..., None]:
    with caching() as kept:
        signature = "void(" + ", ".join(["int64"] * arguments) + ")"
        compiled: Callable[..., None] = njit(signature, nogil=True, cache=kept)(run)
    return compiled
