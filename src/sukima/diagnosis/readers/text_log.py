"""Text logs such as training loops print them, read through the user's pattern.

A pattern is a piece of a line with names in braces where numbers stand, ``epoch {epoch} loss {loss} val {val_loss}``,
or a regular expression with named groups. Several patterns may be given, for training and validation lines apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from sukima.base.checks import shown
from sukima.base.errors import InputError
from sukima.base.messages import say
from sukima.diagnosis.readers.naming import meaning_of
from sukima.diagnosis.readers.rows import Rows
from sukima.diagnosis.readers.runs import tables_of
from sukima.diagnosis.readers.table import Table
from sukima.diagnosis.readers.text import bounded_lines, check_regular, clean_name, encoding_of, head_of

__all__ = ["compiled", "read"]

LONGEST = 2_000
"""Longer lines are not searched: a pattern may take quadratic time."""

# Possessive, so that a line of digits costs no backtracking.
_NUMBER = r"[-+]?+(?:\d++\.?+\d*+(?:[eE][-+]?+\d++)?+|\.\d++|nan|inf(?:inity)?+)%?+"
_HOLE = re.compile(r"\\\{(\w+(?:(?:/|\\-|\.|\\ )\w+)*)\\\}")


def compiled(pattern: str) -> tuple[re.Pattern[str], list[str]]:
    """The pattern as a regular expression, and the names of its groups."""
    if "(?P<" in pattern:
        try:
            expression = re.compile(pattern)
        except (re.error, RecursionError, OverflowError) as error:
            raise InputError(
                "pattern must be a regular expression, got {value} ({why})", value=shown(pattern), why=str(error)
            ) from None
        return expression, list(expression.groupindex)
    names: list[str] = []

    def hole(match: re.Match[str]) -> str:
        names.append(match[1].replace("\\", ""))
        return f"({_NUMBER})"

    text = re.sub(r"(?:\\ )+", r"\\s+", _HOLE.sub(hole, re.escape(pattern)))
    if not names:
        raise InputError(
            "pattern must name its numbers in braces, as in 'loss {{loss}} val {{val_loss}}', got {value}",
            value=shown(pattern),
        )
    return re.compile(text, re.IGNORECASE), names


def read(path: Path, patterns: Sequence[str]) -> list[Table]:
    """The runs in the log; a new row begins where a name comes again that the present row has.

    Where rows begin with their epoch, lines after it belong to it until another is named.
    """
    check_regular(path)
    expressions = [compiled(pattern) for pattern in patterns]
    rows = Rows()
    row: dict[str, str] = {}
    leading: dict[str, str] | None = None
    too_long = 0
    with path.open(encoding=encoding_of(head_of(path)), errors="replace") as file:
        for line in bounded_lines(file, rows.notes):
            if len(line) > LONGEST:
                too_long += 1
                continue
            for found in _found(line, expressions):
                if any(name in row and (row[name] != text or not _counts(name)) for name, text in found.items()):
                    rows.add(row)
                    row = dict(leading or {})
                if leading is None:
                    leading = {name: text for name, text in found.items() if _counts(name)}
                row |= found
                leading |= {name: text for name, text in found.items() if name in leading}
            if rows.full:
                break
    if row:
        rows.add(row)
    if too_long:
        rows.notes.append(say("{count} lines longer than {limit} characters left out", count=too_long, limit=LONGEST))
    tables = tables_of(rows, str(path), "text log")
    if not tables:
        raise InputError("{path}: no line matches the pattern", path=clean_name(path, 200))
    return tables


def _found(line: str, expressions: Sequence[tuple[re.Pattern[str], list[str]]]) -> Iterator[dict[str, str]]:
    """Names and numbers of each pattern in a line; of two at one place the wider, not ``loss`` in ``val loss``."""
    matches = [(match, names) for expression, names in expressions if (match := expression.search(line))]
    for match, names in matches:
        (begin, end), width = match.span(), match.end() - match.start()
        if not any(o.start() <= begin and end <= o.end() and o.end() - o.start() > width for o, _ in matches):
            yield {n: t for n, t in zip(names, _texts(match, names), strict=True) if t is not None}


def _counts(name: str) -> bool:
    """Whether a name counts epochs: it comes again, with the same number, in the lines of one row."""
    return meaning_of(name).kind == "step"


def _texts(match: re.Match[str], names: list[str]) -> list[str | None]:
    return [match[name] for name in names] if match.re.groupindex else list(match.groups())
