"""CSV and TSV: a row of names, then rows of values. Covers Keras' ``CSVLogger`` and Lightning's ``metrics.csv``."""

from __future__ import annotations

import csv
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TextIO

from sukima.base.errors import InputError
from sukima.base.messages import say
from sukima.diagnosis.readers.rows import MOST_NAMES, Column, Rows, is_label_name
from sukima.diagnosis.readers.runs import tables_of
from sukima.diagnosis.readers.table import Table, number
from sukima.diagnosis.readers.text import bounded_lines, check_regular, clean_name, decode, encoding_of, head_of

__all__ = ["read", "recognises"]

CHUNK = 1024
_DELIMITERS = ",\t;|"


def recognises(head: bytes) -> bool:
    """Whether the first lines split into the same number of cells, and one below the names has a number in it."""
    if b"\0" in head and head[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        return False
    lines = list(islice(filter(str.strip, _from_names(iter(decode(head).splitlines()))), 3))
    if not lines or lines[0].lstrip()[:1] in "{[":
        return False
    delimiter = delimiter_of(lines[0])
    cells = [_split(line, delimiter) for line in lines]
    if len(cells[0]) < 2:
        return False
    if len(cells) == 1:
        return delimiter is not None
    if delimiter is None and not _is_table(cells):
        return False
    return abs(len(cells[0]) - len(cells[1])) <= 1 and any(
        number(cell) is not None for row in cells[1:] for cell in row
    )


def _is_table(cells: list[list[str]]) -> bool:
    """Whether cells parted by blanks are names above numbers, or numbers, rather than words of a log."""
    shares = [sum(number(cell) is not None for cell in row) / max(1, len(row)) for row in cells]
    return shares[0] in (0, 1) and max(shares[1:]) > 0.5


def read(path: Path) -> list[Table]:
    """The runs in the file, one table each."""
    check_regular(path)
    head = head_of(path)
    with path.open(encoding=encoding_of(head), errors="replace") as file:
        rows = read_rows(file)
    tables = tables_of(rows, str(path), "CSV")
    if not tables:
        raise InputError("{path}: no rows of numbers found", path=clean_name(path, 200))
    return tables


def read_rows(file: TextIO) -> Rows:
    """Gather the rows, line by line, so that only numbers are held in memory."""
    rows = Rows()
    lines = _from_names(bounded_lines(file, rows.notes))
    first = next(lines, "")
    delimiter = delimiter_of(first)
    names = [name.strip().lstrip("#").strip() for name in _split(first, delimiter)[:MOST_NAMES]]
    if delimiter is None and names and not names[0]:
        names = names[1:]
    if names and all(number(name) is not None for name in names):
        cells = names
        names = [f"column {i + 1}" for i in range(len(names))]
        rows.notes.append(say("the first row has no names; columns are called 'column 1' and so on"))
        rows.add(dict(zip(names, cells, strict=True)))
    names = _unique(names)
    columns = [rows.column(name) for name in names]
    labels = {i for i, name in enumerate(names) if is_label_name(name)}
    table = _Target(rows, names, columns, labels, decimal_comma=delimiter == ";")
    chunk: list[list[str]] = []
    try:
        for cells in _cells(lines, delimiter):
            if cells and (cells[0] != names[0] or cells != names):
                chunk.append(cells)
            if len(chunk) == CHUNK:
                table.add(chunk)
                chunk = []
                if rows.full:
                    rows.notes.append(say("only the first {count} rows are read", count=rows.count))
                    break
    except csv.Error:
        rows.notes.append(say("row {row} is broken; it and what follows are left out", row=rows.count + len(chunk) + 2))
    table.add(chunk)
    return rows


@dataclass(frozen=True)
class _Target:
    """Where cells go: the columns by their position."""

    rows: Rows
    names: list[str]
    columns: list[Column | None]
    labels: set[int]
    decimal_comma: bool

    def add(self, chunk: list[list[str]]) -> None:
        """Add rows; all at once where every cell is a number."""
        try:
            numbers = [array("d", map(float, cells)) for cells in zip(*chunk, strict=True)]
        except ValueError:
            numbers = []
        if len(numbers) != len(self.columns):
            for cells in chunk:
                self._add_row(cells)
            return
        at = range(self.rows.count, self.rows.count + len(chunk))
        for column, values in zip(self.columns, numbers, strict=True):
            if column is not None:
                column.rows.extend(at)
                column.values.extend(values)
                self.rows.cells += len(values)
        self.rows.count += len(chunk)

    def _add_row(self, cells: list[str]) -> None:
        for i, (column, cell) in enumerate(zip(self.columns, cells, strict=False)):
            if not cell or column is None:
                continue
            value = number(cell.replace(",", ".") if self.decimal_comma else cell)
            if value is not None:
                column.add(self.rows.count, value)
                self.rows.cells += 1
            elif i in self.labels:
                self.rows.add_label(self.names[i], cell)
        self.rows.count += 1


def _from_names(lines: Iterator[str]) -> Iterator[str]:
    """The lines that are not blank from the names on: remarks above them, and a spreadsheet's ``sep=;``, are left out.

    A remark right above numbers, as many as it has words, is the names.
    """
    filled = (line for line in lines if line.strip())
    first = next(filled, "")
    while first.lstrip().startswith(("#", "sep=")):
        second = next(filled, "")
        cells = _split(second, delimiter := delimiter_of(second))
        named = _split(first.lstrip("# "), delimiter)
        if not second or (len(named) == len(cells) and any(number(cell) is not None for cell in cells)):
            return chain((first, second), lines)
        first = second
    return chain((first,), lines) if first else lines


def delimiter_of(line: str) -> str | None:
    """The delimiter that splits the line into most cells; ``None`` means blanks."""
    counts = {delimiter: line.count(delimiter) for delimiter in _DELIMITERS}
    best = max(counts, key=lambda delimiter: counts[delimiter])
    return best if counts[best] else None


def _split(line: str, delimiter: str | None) -> list[str]:
    if delimiter is None:
        return line.split()
    try:
        return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error:
        return []


def _cells(lines: Iterator[str], delimiter: str | None) -> Iterator[list[str]]:
    if delimiter is None:
        return (line.split() for line in lines)
    return iter(csv.reader(lines, delimiter=delimiter, skipinitialspace=True))


def _unique(names: list[str]) -> list[str]:
    """Names made different from one another: a second ``loss`` becomes ``loss (2)``."""
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return result
