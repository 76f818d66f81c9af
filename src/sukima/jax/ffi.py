"""The CPU kernels as a custom call of XLA: compiled programs run them with no Python in between.

XLA calls a *handler* with the address of a call frame. Its layout is XLA's stable binary interface; the offsets below
are those of ``xla/ffi/api/c_api.h``, major version 0, which comes with jaxlib and names its minor version.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import jax
import numpy as np
from numba import carray, cfunc

from sukima.masks import team
from sukima.masks.compiled import worker
from sukima.masks.machine import address_of, at, hold
from sukima.masks.shares import (
    ALONG,
    CHUNKS,
    DIMS,
    FIELDS,
    RANK,
    ROW_X,
    ROW_Y,
    SIZE,
    SPLIT,
    TABLE,
    X,
    Y,
    chunk_of,
    do_job,
    room,
)

__all__ = ["TARGET", "registered"]

TARGET = "sukima_masked"

_EXTENSION, _STAGE, _ARGS, _RETS = 8, 32, 72, 112  # of a call frame; the last two are arrays of buffers
_DATA, _RANK, _DIMS = 24, 32, 40  # of a buffer
_EXECUTE, _METADATA = 3, 1

_SHARED = 1 << 18
"""Elements from which several threads work on a mask; XLA's own threads want the cores too."""


@cache
def registered() -> bool:
    """Register the handler with XLA, once; ``False`` where its interface is not the one known here."""
    header = Path(jax.ffi.include_dir()) / "xla/ffi/api/c_api.h"
    if not header.is_file():
        return False
    found = dict(re.findall(r"#define XLA_FFI_API_(MAJOR|MINOR) (\d+)", header.read_text(encoding="utf-8")))
    if found.get("MAJOR") != "0" or "MINOR" not in found:
        return False
    _alive.append(handler := _handler(int(found["MINOR"])))
    jax.ffi.register_ffi_target(TARGET, jax.ffi.pycapsule(handler.address), platform="cpu")
    return True


_alive: list[Any] = []  # an address lives as long as its function


def _handler(minor: int) -> Any:
    """A function ``(table, x) -> y``: a mask on each row of x, as the table (`sukima.masks.jobs.table`) says.

    Not kept on disk: it holds addresses of this process.
    """
    half, single, double, brain = (worker("walk", n) for n in ("float16", "float32", "float64", "bfloat16"))
    crew, most, small = team.team(), team.cores(), _SHARED

    def handle(frame: Any) -> Any:
        extension = carray(at(frame + _EXTENSION, np.int64(0)), 1)[0]
        if extension != 0 and carray(at(extension + 8, np.int32(0)), 1)[0] == _METADATA:
            metadata = carray(at(extension + 24, np.int64(0)), 1)[0]
            version = carray(at(metadata + 24, np.int32(0)), 3)  # major, minor, traits
            version[0], version[1], version[2] = 0, minor, 0
            return 0
        if carray(at(frame + _STAGE, np.int32(0)), 1)[0] != _EXECUTE:
            return 0
        args = carray(at(carray(at(frame + _ARGS, np.int64(0)), 1)[0], np.int64(0)), 2)
        out = carray(at(carray(at(frame + _RETS, np.int64(0)), 1)[0], np.int64(0)), 1)[0]
        size, rows = np.int64(1), np.int64(1)
        lengths = carray(at(args[1] + _DIMS, np.int64(0)), 1)[0]
        for d in range(carray(at(args[1] + _RANK, np.int64(0)), 1)[0]):
            size *= carray(at(lengths, np.int64(0)), 64)[d]
        lengths = carray(at(args[0] + _DIMS, np.int64(0)), 1)[0]
        for d in range(carray(at(args[0] + _RANK, np.int64(0)), 1)[0]):
            rows *= carray(at(lengths, np.int64(0)), 64)[d]
        rows //= 2 * FIELDS  # the table comes as 32-bit words
        if size == 0 or rows == 0:
            return 0
        kind = carray(at(args[1] + 16, np.int32(0)), 1)[0]
        work = half if kind == 10 else single if kind == 11 else double if kind == 12 else brain
        length = size // rows
        threads = most if crew != 0 and size >= small else 1
        chunk = chunk_of(length, threads)
        job = np.zeros(room(threads), np.int64)
        job[ALONG], job[SPLIT] = chunk, (length + chunk - 1) // chunk
        job[CHUNKS], job[SIZE] = job[SPLIT] * rows, length
        job[X] = carray(at(args[1] + _DATA, np.int64(0)), 1)[0]
        job[Y] = carray(at(out + _DATA, np.int64(0)), 1)[0]
        job[TABLE] = carray(at(args[0] + _DATA, np.int64(0)), 1)[0]
        job[ROW_X], job[ROW_Y], job[RANK] = length, length, 1
        job[DIMS], job[DIMS + 1], job[DIMS + 2] = length, 1, 1
        do_job(work, crew, threads, address_of(job))
        hold(job)
        return 0

    return cfunc("int64(int64)")(handle)
