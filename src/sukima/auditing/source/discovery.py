"""Which files to read: scripts and notebooks below the given paths, each once, whatever links there are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

__all__ = ["SUFFIXES", "discover"]

SUFFIXES = (".py", ".ipynb", ".pyw")
_SKIPPED = frozenset(
    [
        "__pycache__",
        ".git",
        ".hg",
        ".svn",
        ".tox",
        ".nox",
        ".venv",
        "venv",
        ".eggs",
        ".mypy_cache",
        ".ruff_cache",
        ".pytest_cache",
        ".ipynb_checkpoints",
        "node_modules",
        "build",
        "dist",
        "site-packages",
        ".hypothesis",
    ]
)


def discover(paths: list[Path], exclude: tuple[str, ...] = ()) -> Iterator[Path]:
    """Files named, and scripts and notebooks in folders named; a folder reached twice is walked once."""
    seen: set[tuple[int, int]] = set()
    for path in paths:
        if path.is_dir():
            yield from _walk(path, exclude, seen)
        else:
            yield path


def _walk(root: Path, exclude: tuple[str, ...], seen: set[tuple[int, int]]) -> Iterator[Path]:
    for folder, folders, files in os.walk(root, followlinks=True):
        try:
            status = os.stat(folder)
        except OSError:
            folders.clear()
            continue
        identity = (status.st_dev, status.st_ino)
        if identity in seen:
            folders.clear()
            continue
        seen.add(identity)
        folders[:] = sorted(f for f in folders if f not in _SKIPPED and not _excluded(Path(folder, f), root, exclude))
        for name in sorted(files):
            path = Path(folder, name)
            if name.endswith(SUFFIXES) and not _excluded(path, root, exclude):
                yield path


def _excluded(path: Path, root: Path, exclude: tuple[str, ...]) -> bool:
    inside = path.relative_to(root).as_posix()
    return any(fnmatch(inside, e) or fnmatch(inside, f"{e.rstrip('/')}/*") or fnmatch(path.name, e) for e in exclude)
