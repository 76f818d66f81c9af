"""Reading files that a user names: what goes wrong becomes one line."""

from __future__ import annotations

import os
from pathlib import Path

from sukima.base.errors import InputError

__all__ = ["check_writable", "read_text"]


def read_text(path: str | Path) -> str:
    """The file's text (UTF-8); raises ``InputError`` where it cannot be read."""
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            "{path}: expected UTF-8 text, got other bytes at {place}", path=path, place=error.start
        ) from None
    except OSError as error:
        raise InputError("{path}: cannot be read ({why})", path=path, why=error.strerror) from None


def check_writable(path: str | Path) -> Path:
    """``path``, if a file can be written there; asked before long work so that its result is not lost."""
    path = Path(path)
    folder = path.parent
    if path.is_dir():
        raise InputError("{path}: expected a file to write, got a folder", path=path)
    if not folder.is_dir():
        raise InputError("{path}: the folder {folder} does not exist", path=path, folder=folder)
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise InputError("{path}: no permission to write there", path=path)
    return path
