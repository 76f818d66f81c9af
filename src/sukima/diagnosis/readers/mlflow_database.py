"""MLflow's database, ``mlflow.db``: the metrics of every run in it, as its SQLite store keeps them."""

from __future__ import annotations

import math
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from sukima.base.errors import InputError
from sukima.base.messages import Message, say
from sukima.diagnosis.readers.rows import MOST_CELLS, MOST_COLUMNS, Column
from sukima.diagnosis.readers.runs import MOST_RUNS
from sukima.diagnosis.readers.table import Table
from sukima.diagnosis.readers.tensorboard import series_of
from sukima.diagnosis.readers.text import check_regular, clean_name

__all__ = ["read", "recognises"]

START = b"SQLite format 3\0"
PATIENCE = 20_000
"""Times that SQLite may work a thousand steps without a row: a made-up database may never give one."""
LONGEST = 2**20
"""Longer cells are refused by SQLite itself."""
INFINITE = 1.79e308
"""MLflow keeps Inf as the largest number of 64 bits."""
_TABLES = "SELECT name, type FROM sqlite_master WHERE name IN ('metrics', 'runs')"
_RUNS = "SELECT run_uuid, name FROM runs WHERE lifecycle_stage = 'active' LIMIT ?"
_METRICS = "SELECT run_uuid, key, step, value, is_nan FROM metrics LIMIT ?"


def recognises(head: bytes) -> bool:
    """Whether this is an SQLite database."""
    return head.startswith(START)


def read(path: Path) -> list[Table]:
    """A table a run, under the name that MLflow gave it; deleted runs are left out."""
    check_regular(path)
    notes: list[Message] = []
    runs: dict[str, dict[str, Column]] = {}
    try:
        # Immutable: nothing is written, no log beside it is looked for, and no lock is asked of a server that runs.
        where = f"file:{quote(str(path.resolve()))}?mode=ro&immutable=1"
        with closing(sqlite3.connect(where, uri=True)) as base:
            _gather(base, runs, notes)
    except (sqlite3.Error, OverflowError) as error:
        if not runs:
            why = clean_name(error, 120)
            raise InputError("{path}: not a database of MLflow ({why})", path=clean_name(path, 200), why=why) from None
        notes.append(say("the database breaks off or is damaged; what follows is left out"))
    if not runs:
        raise InputError("{path}: no metrics found in this database", path=clean_name(path, 200))
    return [Table(series_of(columns), f"{path}:{run}", "MLflow", list(notes)) for run, columns in runs.items()]


def _gather(base: sqlite3.Connection, runs: dict[str, dict[str, Column]], notes: list[Message]) -> None:
    """Fill the columns of each run; only real tables are asked, since a view may compute anything."""
    base.execute("PRAGMA trusted_schema = OFF")
    base.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST)
    base.text_factory = lambda data: data.decode("utf-8", "replace")
    left = PATIENCE

    def tired() -> bool:
        nonlocal left
        left -= 1
        return left < 0

    base.set_progress_handler(tired, 1000)
    if dict(base.execute(_TABLES)) != {"metrics": "table", "runs": "table"}:
        raise sqlite3.DatabaseError("no tables of runs and metrics")
    names = {run: f"{name or run}" for run, name in base.execute(_RUNS, (MOST_RUNS,))}
    if len(names) == MOST_RUNS:
        notes.append(say("only the first {count} runs are read", count=MOST_RUNS))
    twice = Counter(names.values())
    names = {run: name if twice[name] == 1 else f"{name} {run}" for run, name in names.items()}
    count = 0
    for run, key, step, value, is_nan in base.execute(_METRICS, (MOST_CELLS,)):
        left = PATIENCE
        count += 1
        if run not in names or not isinstance(step, int) or not isinstance(value, int | float):
            continue
        columns = runs.setdefault(clean_name(names[run]), {})
        name = clean_name(key, 200)
        if name in columns or len(columns) < MOST_COLUMNS:
            finite = math.copysign(math.inf, value) if abs(value) > INFINITE else float(value)
            columns.setdefault(name, Column()).add(step, math.nan if is_nan else finite)
    if count == MOST_CELLS:
        notes.append(say("only the first {count} rows are read", count=count))
