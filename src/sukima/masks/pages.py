"""Pages of memory: a result too large for the caches costs more to be given memory than to be computed.

A new page is cleared and mapped by the operating system when it is first written to. Linux maps 2 MB at once, a tenth
of the price, where a program asks for it and the administrator leaves it to programs (``madvise``, the usual setting).
"""

from __future__ import annotations

import ctypes
import mmap
import sys
from functools import cache
from typing import Any

__all__ = ["LARGE", "MAPPED", "keep_freed_memory", "want_large_pages"]

LARGE = 32 << 20
"""Bytes from which it pays to ask: glibc takes such blocks from the system each time, smaller ones it uses again."""

MAPPED = 128 << 10
"""Bytes from which glibc takes blocks from the system each time, until it has seen a larger one freed."""

_PAGE = 2 << 20


@cache
def _advise() -> Any:
    if not hasattr(mmap, "MADV_HUGEPAGE"):
        return None
    function = ctypes.CDLL(None).madvise
    function.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    return function


def want_large_pages(address: int, size: int) -> None:
    """Ask that the ``size`` bytes at ``address`` lie in large pages, as far as they fill whole ones.

    Only advice: where it is not taken, nothing changes.
    """
    advise = _advise()
    first, end = -(-address // _PAGE) * _PAGE, (address + size) // _PAGE * _PAGE
    if advise is not None and first < end:
        advise(first, end - first, mmap.MADV_HUGEPAGE)


@cache
def keep_freed_memory() -> None:
    """Let glibc keep up to 64 MB of freed memory at the end of its heap, and use it again.

    It hands back what is more than twice the largest block that was mapped apart and freed, 32 MB at most: a process
    reaches that by itself when it frees such a block. So one is taken and freed, and never touched. Where a process has
    settings of its own, or another allocator, nothing changes.
    """
    if sys.platform != "linux":
        return
    library = ctypes.CDLL(None)
    library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    library.free.restype, library.free.argtypes = None, [ctypes.c_void_p]
    library.free(library.malloc(LARGE - (1 << 16)))
