"""A job, and how threads share it.

A *job* is a row of 64-bit numbers, by the names below, and behind them a counter for each thread. Its work is cut into
chunks. A thread has a part of them, which lie together and are the same whenever the job is done with as many threads,
so that it finds in its caches what it left there: where threads took chunks as they came, about one process in five ran
at half its speed from some moment on. A thread that has done its part goes on with those of others.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray, njit

from sukima.masks.machine import at, call_number, call_team, call_work, claim

__all__ = [
    "AHEAD", "ALONG", "BEGUN", "CHUNKS", "COUNTERS", "DIMS", "FIELDS", "HIGH", "JOB", "KEPT", "LOW", "MAX_DIMS",
    "PARTS", "RANK", "ROW_X", "ROW_Y", "SIZE", "SPLIT", "TABLE", "TILE", "WHO", "X", "Y", "chunk_of", "do_job", "field",
    "my_part", "next_chunk", "room", "set_line",
]  # fmt: skip

MAX_DIMS = 8
FIELDS = 6  # numbers an entry in the table of masks
BEGUN, WHO, PARTS, CHUNKS, SPLIT, SIZE, X, Y, TABLE, ROW_X, ROW_Y, RANK, KEPT, AHEAD, ALONG, HIGH, LOW, DIMS = range(18)
JOB = DIMS + 4 * MAX_DIMS  # numbers a job; a dimension takes four: length, strides of x, y and mask, in elements

_LINE = 8  # numbers a cache line: each counter has its own
COUNTERS = JOB + FIELDS + _LINE  # where they begin: a table of one mask may stand before them

TILE = 2048
_CHUNK = 8 * TILE  # the least that a thread claims
_SHARE = 8  # chunks a thread, where that makes them larger: enough that threads end together, and no more


@njit
def chunk_of(size: Any, threads: Any) -> Any:
    """How many of ``size`` elements a thread claims at a time."""
    return _CHUNK * max(1, size // (_CHUNK * _SHARE * threads))


@njit
def room(threads: Any) -> Any:
    """How many numbers a job takes that so many threads share."""
    return COUNTERS + _LINE * threads


@njit
def field(job: Any, index: Any) -> Any:
    """One number of a job, by its name above."""
    return carray(at(job, np.int64(0)), JOB)[index]


@njit
def set_line(
    numbers: Any, job: Any, threads: Any, x: Any, y: Any, size: Any,
    seed: Any, stream: Any, dropped: Any, bits: Any, factor: Any, first: Any,
) -> None:  # fmt: skip
    """Make ``numbers``, which lie at ``job``, a job of one mask on elements that lie in its order in memory."""
    chunk = chunk_of(size, threads)
    numbers[CHUNKS], numbers[ALONG] = (size + chunk - 1) // chunk, chunk
    numbers[SPLIT], numbers[SIZE], numbers[X], numbers[Y] = numbers[CHUNKS], size, x, y
    numbers[TABLE], numbers[ROW_X], numbers[ROW_Y], numbers[RANK] = job + 8 * JOB, 0, 0, 1
    numbers[DIMS], numbers[DIMS + 1], numbers[DIMS + 2] = size, 1, 1
    numbers[JOB], numbers[JOB + 1], numbers[JOB + 2] = seed, stream, dropped
    numbers[JOB + 3], numbers[JOB + 4], numbers[JOB + 5] = bits, factor, first


@njit
def do_job(work: Any, crew: Any, threads: Any, job: Any) -> None:
    """Let so many threads work on a job from its beginning: those of ``crew`` (see `sukima.masks.team.team`) if there
    are to be several."""
    numbers = carray(at(job, np.int64(0)), COUNTERS + _LINE * threads)
    numbers[BEGUN], numbers[WHO], numbers[PARTS] = 0, 0, threads
    for part in range(threads):
        numbers[COUNTERS + _LINE * part] = 0
    if threads > 1:
        functions = carray(at(crew, np.int64(0)), 2)
        numbers[WHO] = functions[1]
        call_team(functions[0], work, job, threads)
    else:
        call_work(work, job)


@njit
def my_part(job: Any) -> Any:
    """The part of the thread that asks: by its number in the crew, or in the order in which they begin."""
    who = field(job, WHO)
    return (np.int64(call_number(who)) if who else claim(job + 8 * BEGUN)) % field(job, PARTS)


@njit
def next_chunk(job: Any, part: Any) -> Any:
    """The next chunk, of this part if one is left there, and the part it is of; the chunk is -1 where none is left."""
    parts, chunks = field(job, PARTS), field(job, CHUNKS)
    for _ in range(parts):
        chunk = chunks * part // parts + claim(job + 8 * (COUNTERS + _LINE * part))
        if chunk < chunks * (part + 1) // parts:
            return chunk, part
        part = (part + 1) % parts
    return np.int64(-1), part
