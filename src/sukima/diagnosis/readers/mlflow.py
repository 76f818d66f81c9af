"""MLflow: a run's ``metrics`` folder, one file a metric with lines of time, value and step."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sukima.base.errors import InputError
from sukima.base.messages import Message, say
from sukima.diagnosis.readers.rows import MOST_CELLS, Column
from sukima.diagnosis.readers.table import Table, number
from sukima.diagnosis.readers.tensorboard import series_of
from sukima.diagnosis.readers.text import bounded_lines, clean_name, decode, head_of

__all__ = ["is_metric_file", "read_folder"]

MOST_FILES = 2_000


def is_metric_file(head: bytes) -> bool:
    """Whether the first line is a time in milliseconds, a value and a step."""
    cells = decode(head).split("\n", 1)[0].split()
    return (
        len(cells) == 3
        and cells[0].isdigit()
        and len(cells[0]) >= 10
        and number(cells[1]) is not None
        and cells[2].lstrip("-").isdigit()
    )


def read_folder(folder: Path) -> Table:
    """The run whose metrics stand in ``folder``; the names of folders inside it belong to the metrics' names."""
    columns: dict[str, Column] = {}
    notes: list[Message] = []
    for path in _files(folder):
        try:
            if not is_metric_file(head_of(path, 256)):
                continue
            column = columns[clean_name(path.relative_to(folder).as_posix(), 200)] = Column()
            _read(path, column, notes)
        except InputError as error:
            notes.append(error.message)
    if not columns:
        raise InputError("{path}: no metrics found in this folder", path=clean_name(folder, 200))
    return Table(series_of(columns), str(folder), "MLflow", notes)


def _files(folder: Path) -> Iterator[Path]:
    found = (path for path in sorted(folder.rglob("*")) if not path.is_symlink() and path.is_file())
    for count, path in enumerate(found):
        if count >= MOST_FILES:
            return
        yield path


def _read(path: Path, column: Column, notes: list[Message]) -> None:
    broken = 0
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in bounded_lines(file, notes):
            cells = line.split()
            value = number(cells[1]) if len(cells) >= 2 else None
            step = number(cells[2]) if len(cells) >= 3 else float(len(column.rows))
            if value is None or step is None or not abs(step) < 2**62:
                broken += bool(line.strip())
                continue
            column.add(int(step), value)
            if len(column.rows) >= MOST_CELLS // 8:
                break
    if broken:
        notes.append(say("{count} broken lines left out", count=broken))
