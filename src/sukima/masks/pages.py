"""Pages of memory: a result too large for the caches costs more to be given memory than to be computed.

A new page is cleared and mapped by the operating system when it is first written to. Linux maps 2 MB at once, a tenth
of the price, where a program asks for it and the administrator leaves it to programs (``madvise``, the usual setting).
"""

from __future__ import annotations

import ctypes
import mmap
from functools import cache
from typing import Any

__all__ = ["LARGE", "want_large_pages"]

LARGE = 32 << 20
"""Bytes from which it pays to ask: glibc takes such blocks from the system each time, smaller ones it uses again."""

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
