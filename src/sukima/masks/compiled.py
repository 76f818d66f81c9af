"""Machine code for each kind of job and type of number, compiled when first needed and kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Literal

import numpy as np
from numba import cfunc, njit

from sukima.masks.cache import caching
from sukima.masks.kernels import CHUNK, DIMS, FIELDS, JOB, broadcast, turned, walk
from sukima.masks.machine import address_of, call_team, call_work

__all__ = ["Kind", "Number", "start", "start_job", "worker"]

Kind = Literal["walk", "turned", "broadcast"]
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
def _walk(like: Any, one: Any, width: int) -> Callable[[Any], None]:
    def work(job: Any) -> None:
        walk(job, like, one, width)

    return work


def _turned(like: Any, one: Any, width: int) -> Callable[[Any], None]:
    def work(job: Any) -> None:
        turned(job, like, one, width)

    return work


def _broadcast(like: Any, one: Any, width: int) -> Callable[[Any], None]:
    def work(job: Any) -> None:
        broadcast(job, like, one, width)

    return work


_KINDS = {"walk": _walk, "turned": _turned, "broadcast": _broadcast}


@cache
def worker(kind: Kind, number: Number) -> int:
    """The address of a C function that takes a job's address and works on it."""
    work = _KINDS[kind](*_NUMBERS[number])
    work.__qualname__ = work.__name__ = f"{kind}_{number}"
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
        space = np.empty(JOB + FIELDS, np.int64)
        job = address_of(space)
        space[0], space[1] = 0, (size + CHUNK - 1) // CHUNK
        space[2], space[3], space[4], space[5] = space[1], size, x, y
        space[6], space[7], space[8], space[9] = job + 8 * JOB, 0, 0, 1
        space[DIMS], space[DIMS + 1], space[DIMS + 2] = size, 1, 1
        space[JOB], space[JOB + 1], space[JOB + 2] = seed, stream, dropped
        space[JOB + 3], space[JOB + 4], space[JOB + 5] = bits, factor, first
        if threads > 1:
            call_team(team, work, job, threads)
        else:
            call_work(work, job)

    return _compiled(run, 12)


@cache
def start_job() -> Callable[..., None]:
    """The function that starts a job that exists: ``(work, team, threads, job)``, all 64-bit integers."""

    def run(work: Any, team: Any, threads: Any, job: Any) -> None:
        if threads > 1:
            call_team(team, work, job, threads)
        else:
            call_work(work, job)

    return _compiled(run, 4)


def _compiled(run: Callable[..., None], arguments: int) -> Callable[..., None]:
    with caching() as kept:
        signature = "void(" + ", ".join(["int64"] * arguments) + ")"
        compiled: Callable[..., None] = njit(signature, nogil=True, cache=kept)(run)
    return compiled
