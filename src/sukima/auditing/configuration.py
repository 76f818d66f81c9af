"""``[tool.sukima.audit]`` in the nearest ``pyproject.toml``."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec

from sukima.base.errors import InputError

__all__ = ["Configuration", "find_configuration"]


class Configuration(msgspec.Struct, forbid_unknown_fields=True, rename="kebab"):
    """Which rules run, and on which files.

    Attributes:
        select: codes, or beginnings of codes, to run; all by default.
        ignore: codes, or beginnings of codes, to leave out.
        exclude: files and folders to leave out, as shell patterns relative to the folder that is audited.
        per_file_ignores: shell pattern → codes to leave out there.
    """

    select: list[str] = []
    ignore: list[str] = []
    exclude: list[str] = []
    per_file_ignores: dict[str, list[str]] = {}


def find_configuration(start: Path) -> Configuration:
    """The configuration for a path: from the first ``pyproject.toml`` in its folder or one above it.

    Raises:
        InputError: the table has a key or a value that is not understood.
    """
    folder = start.absolute() if start.is_dir() else start.absolute().parent
    for candidate in (folder, *folder.parents):
        file = candidate / "pyproject.toml"
        if not file.is_file():
            continue
        try:
            table = tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {}).get("sukima", {}).get("audit", {})
            return msgspec.convert(table, Configuration)
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError, AttributeError) as error:
            raise InputError("{path}: {reason}", path=file, reason=str(error)) from None
    return Configuration()
