"""Where compiled kernels are kept on disk: under a name that changes with every source they are made of."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import sys
import tempfile
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numba
from numba.core import config

__all__ = ["caching", "directory"]

_lock = threading.RLock()
_SOURCES = (
    "machine.py",
    "philox.py",
    "fused.py",
    "numeric.py",
    "kernels.py",
    "structure.py",
    "normal.py",
    "shares.py",
    "compiled.py",
)


@cache
def _digest(also: tuple[Path, ...]) -> str:
    """Numba looks at one file's date only; this covers all of them, and its own version."""
    here = Path(__file__).parent
    sources = [*(here / name for name in _SOURCES), *also]
    text = b"".join(source.read_bytes() for source in sources) + numba.__version__.encode()
    return hashlib.blake2b(text, digest_size=8).hexdigest()


def _candidates() -> Iterator[Path]:
    if chosen := os.environ.get("SUKIMA_CACHE_DIR") or config.CACHE_DIR:
        yield Path(chosen) / "sukima"
    if sys.platform == "win32":
        yield Path(os.environ.get("LOCALAPPDATA", "~")).expanduser() / "sukima" / "cache"
    elif sys.platform == "darwin":
        yield Path("~/Library/Caches/sukima").expanduser()
    else:
        yield Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "sukima"
    yield Path(tempfile.gettempdir()) / f"sukima-{os.getuid() if hasattr(os, 'getuid') else os.getlogin()}"


def _usable(path: Path) -> bool:
    """Whether it can be written, and by nobody else: what lies here is run."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        state = path.stat()
    except (OSError, RuntimeError):
        return False
    if hasattr(os, "getuid") and (state.st_uid != os.getuid() or state.st_mode & (stat.S_IWGRP | stat.S_IWOTH)):
        return False
    return os.access(path, os.W_OK | os.X_OK)


@cache
def directory(*also: Path) -> Path | None:
    """The directory in use; ``None`` where nothing can be written and kernels are compiled by each process.

    Kernels that are made of functions in other files than those of masks have one that depends on these files ``also``.
    """
    for base in _candidates():
        with contextlib.suppress(OSError, RuntimeError):
            path = base / _digest(also)
            if _usable(path):
                return path
    return None


@contextlib.contextmanager
def caching(*also: Path) -> Iterator[bool]:
    """Functions compiled inside keep their machine code in `directory`; gives whether they can."""
    path = directory(*also)
    with _lock:
        before = config.CACHE_DIR
        try:
            if path is not None:
                config.CACHE_DIR = str(path)
            yield path is not None
        finally:
            config.CACHE_DIR = before
