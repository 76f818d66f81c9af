"""A folder: all runs in it. Event files of one run, and the metrics of an MLflow run, are put together."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from sukima.base.errors import InputError, SukimaError
from sukima.base.messages import Message, say
from sukima.diagnosis.readers import mlflow, tensorboard
from sukima.diagnosis.readers.charts import joined
from sukima.diagnosis.readers.naming import meaning_of, tells
from sukima.diagnosis.readers.reading import Reading
from sukima.diagnosis.readers.rows import Column
from sukima.diagnosis.readers.table import Table
from sukima.diagnosis.readers.text import clean_name, head_of

__all__ = ["tables_in"]

MOST_FILES = 5_000
DEEPEST = 8
_SUFFIXES = {".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".txt", ".log", ".wandb", ".db", ""}
"""In a folder only such files are opened: it also holds weights, images and code."""
_BESIDE = {"wandb-summary.json", "wandb-metadata.json", "wandb-events.jsonl", "debug.log", "debug-internal.log"}
"""What Weights & Biases writes beside a run's history: its last row again, and the machine."""
_STATE = "trainer_state.json"
_CHECKPOINT = re.compile(r"checkpoint-(\d{1,18})")
_DELETED = re.compile(rb"^lifecycle_stage: deleted\r?$", re.MULTILINE)
"""What MLflow writes into the ``meta.yaml`` of a run that was thrown away."""

Found = list[Table | Reading]


def tables_in(folder: Path, read: Callable[[Path], Sequence[Table | Reading]]) -> tuple[Found, list[Message]]:
    """The runs in ``folder``, and why the other files were left out; ``read`` reads one file."""
    tables: Found = []
    skipped: list[Message] = []
    alone: list[tuple[Path, Table]] = []
    events: dict[Path, list[Path]] = {}
    metrics: set[Path] = set()
    for path in _files(folder, skipped):
        if any(place in metrics for place in path.parents) or _is_setting(path, metrics):
            continue
        try:
            head = head_of(path, 4096)
            if tensorboard.recognises(head):
                events.setdefault(_run_of(path.parent, folder), []).append(path)
            elif mlflow.is_metric_file(head) and (place := _metrics_of(path, folder)):
                metrics.add(place)
                if not _is_deleted(place.parent):
                    tables.append(mlflow.read_folder(place))
            elif path.suffix.lower() in _SUFFIXES:
                for one in read(path):
                    if isinstance(one, Table) and not tells(one.series):
                        alone.append((path, one))
                    else:
                        tables.append(one)
        except SukimaError as error:
            skipped.append(error.message)
    for run, paths in events.items():
        try:
            tables.append(_run_of_events(run, paths))
        except InputError as error:
            skipped.append(error.message)
    return [*tables, *joined(folder, alone)], skipped


def _files(folder: Path, skipped: list[Message]) -> Iterator[Path]:
    count = 0
    for place, folders, names in os.walk(folder, followlinks=False):
        depth = len(Path(place).relative_to(folder).parts)
        folders[:] = sorted(name for name in folders if not name.startswith(".")) if depth < DEEPEST else []
        if any(name.endswith(".wandb") for name in names):
            # What lies deeper in the folder of such a run are its log files, media and requirements.
            folders.clear()
        earlier = _earlier(Path(place), folders, names)
        folders[:] = [name for name in folders if name not in earlier]
        for name in sorted(names):
            path = Path(place, name)
            if name.startswith(".") or name in _BESIDE or path.is_symlink() or not path.is_file():
                continue
            count += 1
            if count > MOST_FILES:
                skipped.append(
                    say("{path}: only the first {count} files are looked at", path=clean_name(folder), count=MOST_FILES)
                )
                return
            yield path


def _earlier(place: Path, folders: list[str], names: list[str]) -> set[str]:
    """Hugging Face's checkpoints but the last: each tells the run again up to there, as the folder's own state may."""
    found = {name: match for name in folders if (match := _CHECKPOINT.fullmatch(name))}
    numbers = {name: int(match[1]) for name, match in found.items() if (place / name / _STATE).is_file()}
    last = max(numbers, key=lambda name: numbers[name], default="")
    return numbers.keys() - ({last} if _STATE not in names else set())


def _run_of(place: Path, folder: Path) -> Path:
    """The run that event files in ``place`` belong to: Keras writes ``train`` and ``validation`` folders inside it."""
    return place.parent if place != folder and _role_of(place) else place


def _role_of(place: Path) -> str:
    meaning = meaning_of(place.name.split("_")[-1])
    return meaning.role if not meaning.quantity else ""


def _metrics_of(path: Path, folder: Path) -> Path | None:
    """The folder called ``metrics`` that holds the file; the folder that was asked for may be it."""
    inside = [place for place in path.parents if place.name == "metrics" and place.is_relative_to(folder)]
    return inside[-1] if inside else None


def _is_setting(path: Path, metrics: set[Path]) -> bool:
    """Whether the file holds a parameter or tag of an MLflow run whose metrics are known."""
    return path.parent.name in ("params", "tags") and path.parent.parent / "metrics" in metrics


def _is_deleted(run: Path) -> bool:
    about = run / "meta.yaml"
    return about.is_file() and bool(_DELETED.search(head_of(about)))


def _run_of_events(run: Path, paths: list[Path]) -> Table:
    columns: dict[str, Column] = {}
    notes: list[Message] = []
    for path in paths:
        role = "" if path.parent == run else f"{_role_of(path.parent)}/"
        tensorboard.gather(path, columns, notes, role)
    if not columns:
        raise InputError("{path}: no scalars found in this event file", path=clean_name(run, 200))
    return Table(tensorboard.series_of(columns), str(run), "TensorBoard", notes)
