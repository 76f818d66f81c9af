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
from sukima.masks.cpu import PARALLEL
from sukima.masks.kernels import CHUNK, DIMS, FIELDS, JOB
from sukima.masks.machine import address_of, at, call_team, call_work

__all__ = ["TARGET", "registered"]

TARGET = "sukima_masked"

_EXTENSION, _STAGE, _ARGS, _RETS = 8, 32, 72, 112  # of a call frame; the last two are arrays of buffers
_DATA, _RANK, _DIMS = 24, 32, 40  # of a buffer
_EXECUTE, _METADATA = 3, 1


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
    """A function ``(table, x) -> y``: a mask on each row of x, as the row of the table (`sukima.masks.cpu.table`) says.

    Not kept on disk: it holds addresses of this process.
    """
    half, single, double, brain = (worker("walk", n) for n in ("float16", "float32", "float64", "bfloat16"))
    crew, most, chunk, small = team.team(), team.cores(), CHUNK, PARALLEL
    job_size, dims, fields = JOB, DIMS, FIELDS
    extension_at, stage_at, args_at, rets_at = _EXTENSION, _STAGE, _ARGS, _RETS
    data_at, rank_at, dims_at = _DATA, _RANK, _DIMS
    execute, metadata_type = _EXECUTE, _METADATA

    def handle(frame: Any) -> Any:
        extension = carray(at(frame + extension_at, np.int64(0)), 1)[0]
        if extension != 0 and carray(at(extension + 8, np.int32(0)), 1)[0] == metadata_type:
            metadata = carray(at(extension + 24, np.int64(0)), 1)[0]
            version = carray(at(metadata + 24, np.int32(0)), 3)  # major, minor, traits
            version[0], version[1], version[2] = 0, minor, 0
            return 0
        if carray(at(frame + stage_at, np.int32(0)), 1)[0] != execute:
            return 0
        args = carray(at(carray(at(frame + args_at, np.int64(0)), 1)[0], np.int64(0)), 2)
        out = carray(at(carray(at(frame + rets_at, np.int64(0)), 1)[0], np.int64(0)), 1)[0]
        size, rows = np.int64(1), np.int64(1)
        lengths = carray(at(args[1] + dims_at, np.int64(0)), 1)[0]
        for d in range(carray(at(args[1] + rank_at, np.int64(0)), 1)[0]):
            size *= carray(at(lengths, np.int64(0)), 64)[d]
        lengths = carray(at(args[0] + dims_at, np.int64(0)), 1)[0]
        for d in range(carray(at(args[0] + rank_at, np.int64(0)), 1)[0]):
            rows *= carray(at(lengths, np.int64(0)), 64)[d]
        rows //= 2 * fields  # the table comes as 32-bit words
        if size == 0 or rows == 0:
            return 0
        kind = carray(at(args[1] + 16, np.int32(0)), 1)[0]
        work = half if kind == 10 else single if kind == 11 else double if kind == 12 else brain
        length = size // rows
        split = (length + chunk - 1) // chunk
        job = np.zeros(job_size, np.int64)
        job[1], job[2], job[3] = split * rows, split, length
        job[4] = carray(at(args[1] + data_at, np.int64(0)), 1)[0]
        job[5] = carray(at(out + data_at, np.int64(0)), 1)[0]
        job[6] = carray(at(args[0] + data_at, np.int64(0)), 1)[0]
        job[7], job[8], job[9] = length, length, 1
        job[dims], job[dims + 1], job[dims + 2] = length, 1, 1
        if crew != 0 and size >= small and most > 1:
            call_team(crew, work, address_of(job), most)
        else:
            call_work(work, address_of(job))
        return 0

    return cfunc("int64(int64)")(handle)
