"""The code of a notebook as one Python text, cell after cell, with the place of each line in the file."""

from __future__ import annotations

import ast
import json
import re
import warnings

__all__ = ["notebook_code"]

_MAGIC = re.compile(r"^(\s*)([%!?]|[\w.]+\?\??\s*$)")
_ASSIGNED_MAGIC = re.compile(r"^(\s*)([\w, ]+=\s*)[%!].*$")
_STRING = re.compile(r"""(['"])(?:\\.|(?!\1).)*\1|#.*""")
_PYTHON_CELLS = ("%%time", "%%capture", "%%timeit", "%%prun")


def notebook_code(text: str) -> tuple[str, list[int], int] | None:
    """The code, the line in the file of each of its lines, and how many cells are no Python; ``None`` for no notebook.

    A cell that cannot be parsed is left out alone: the others are worth reading.
    """
    try:
        cells = json.loads(text)["cells"]
        sources = [c["source"] for c in cells if c["cell_type"] == "code"]
        codes = ["".join(s) if isinstance(s, list) else str(s) for s in sources]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    raw = [line.lstrip() for line in text.splitlines()]
    lines: list[str] = []
    places: list[int] = []
    at = left_out = 0
    for code in codes:
        read = _cell(code)
        left_out += read is None
        for number, line in enumerate(code.splitlines()):
            at = _find(raw, line, at)
            places.append(at + 1)
            lines.append(read[number] if read is not None else "#")
        lines.append("")
        places.append(at + 1)
    return "\n".join(lines), places, left_out


def _cell(code: str) -> list[str] | None:
    """The lines of a cell as Python, as many as it has; ``None`` where they cannot be."""
    lines = code.splitlines()
    if lines and lines[0].startswith("%%") and not lines[0].startswith(_PYTHON_CELLS):
        return ["#"] * len(lines)
    if _parses(code):
        return lines
    plain = _without_magics(lines)
    return plain if _parses("\n".join(plain)) else None


def _parses(code: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _without_magics(lines: list[str]) -> list[str]:
    """Shell commands, magics and questions replaced; a line that goes on within brackets is none of them."""
    found: list[str] = []
    depth = 0
    in_command = False  # a shell command may itself go over several lines
    for line in lines:
        plain = "#" if in_command else line if depth > 0 else _without_magic(line)
        if plain != line:
            in_command = line.rstrip().endswith("\\")
        else:
            bare = _STRING.sub("", line)
            depth += sum(map(bare.count, "([{")) - sum(map(bare.count, ")]}"))
        found.append(plain)
    return found


def _without_magic(line: str) -> str:
    if match := _ASSIGNED_MAGIC.match(line):
        return f"{match[1]}{match[2]}None"
    if match := _MAGIC.match(line):
        return f"{match[1]}pass"
    return line


def _find(raw: list[str], line: str, start: int) -> int:
    """The next line of the notebook's JSON that holds this line of code; ``start`` where there is none."""
    plain, escaped = json.dumps(line, ensure_ascii=False)[:-1], json.dumps(line)[:-1]
    for at in range(start, len(raw)):
        if raw[at].startswith((plain, escaped)):
            return at
    return start
