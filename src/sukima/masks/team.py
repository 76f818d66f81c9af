"""Threads that work on one job together.

The OpenMP runtime that torch has loaded serves best: its threads are awake already, a hand-over costs a few
microseconds, and no second pool competes for the cores. Where there is none, or in a forked child (where its threads
are gone and calling it would hang), a pool of Python threads does the same at some 50 microseconds a hand-over.
"""

from __future__ import annotations

import ctypes
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

__all__ = ["cores", "run_on_pool", "team"]

_team: int | None = None
_with_torch = False
_found: list[ctypes.Array[ctypes.c_void_p]] = []  # compiled code may hold the address of each
_pool: ThreadPoolExecutor | None = None
_WORK = ctypes.CFUNCTYPE(None, ctypes.c_int64)


def team() -> int:
    """The address of a pair, those of ``GOMP_parallel`` and ``omp_get_thread_num`` in the process's OpenMP runtime; or
    0."""
    global _team, _with_torch
    if _team is None or (not _with_torch and "torch" in sys.modules):
        _team, _with_torch = _find(), "torch" in sys.modules
    return _team


def _find() -> int:
    names: list[str] = []
    torch = sys.modules.get("torch")
    if torch is not None and torch.__file__:
        folder = Path(torch.__file__).parent / "lib"
        names += [str(path) for pattern in ("libgomp*", "libomp.*", "libiomp5.*") for path in folder.glob(pattern)]
    for name in [*names, "libgomp.so.1"]:
        try:
            library = ctypes.CDLL(name)
            functions = [library.GOMP_parallel, library.omp_get_thread_num]
        except (OSError, AttributeError):
            continue
        _found.append(pair := (ctypes.c_void_p * 2)(*(ctypes.cast(f, ctypes.c_void_p).value for f in functions)))
        return ctypes.addressof(pair)
    return 0


def _after_fork() -> None:
    global _team, _with_torch, _pool
    _team, _with_torch, _pool = 0, True, None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_on_pool(work: int, job: int, threads: int) -> None:
    """Let ``threads`` threads, this one among them, work on the job until it is done."""
    global _pool
    if _pool is None:
        _pool = ThreadPoolExecutor(max(1, cores() - 1), thread_name_prefix="sukima")
    call = _WORK(work)
    helpers = [_pool.submit(call, job) for _ in range(threads - 1)]
    call(job)
    for helper in helpers:
        if not helper.cancel():
            helper.result()
