"""Charts as dashboards export them, one curve a file: those of one run in a folder are put together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from sukima.diagnosis.readers.naming import meaning_of, tells
from sukima.diagnosis.readers.table import Series, Table

__all__ = ["joined"]

# TensorBoard's button gives "run-lr_train-tag-epoch_loss.csv", with the columns "Wall time", "Step" and "Value".
_FILE = re.compile(r"run[-_](?P<run>.*)[-_]tag[-_](?P<tag>.+)")


def joined(folder: Path, alone: Sequence[tuple[Path, Table]]) -> list[Table]:
    """The tables, those of a run of which there are several files as one where together they tell its curves."""
    runs: dict[str, list[tuple[Path, Table, dict[str, Series]]]] = {}
    for path, table in alone:
        run, curves = _curves(path, table)
        runs.setdefault(run, []).append((path, table, curves))
    result = []
    for run, parts in runs.items():
        series = {name: one for _, _, curves in parts for name, one in curves.items()}
        if len({path for path, _, _ in parts}) > 1 and tells(series):
            result.append(Table(series, ":".join(filter(None, (str(folder), run))), parts[0][1].format))
        else:
            result += [table for _, table, _ in parts]
    return result


def _curves(path: Path, table: Table) -> tuple[str, dict[str, Series]]:
    """The run that the table is of, and its curves under names that say what they are."""
    match = _FILE.fullmatch(path.stem)
    if match is None or "Value" not in table.series:
        return table.source.removeprefix(str(path)).removeprefix(":"), table.series
    run = match["run"]
    stem, _, last = run.rpartition("_")
    meaning = meaning_of(last)
    # The run of Keras' validation is called "validation", or "name_validation": a role and no run.
    role, run = (last, stem) if meaning.role and not meaning.quantity else ("", run)
    return run, {f"{role}/{match['tag']}": table.series["Value"]}
