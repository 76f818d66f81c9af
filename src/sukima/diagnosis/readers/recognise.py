"""Which reader a file needs, by what is in it rather than by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from sukima.base.errors import InputError
from sukima.base.messages import Message, say
from sukima.diagnosis.readers import (
    delimited,
    hugging_face,
    json_document,
    json_lines,
    mlflow_database,
    tensorboard,
    text_log,
    wandb_log,
)
from sukima.diagnosis.readers.align import to_reading
from sukima.diagnosis.readers.folder import tables_in
from sukima.diagnosis.readers.reading import Reading
from sukima.diagnosis.readers.table import Table
from sukima.diagnosis.readers.text import clean_name, head_of

__all__ = ["read_history"]

Reader = tuple[Callable[[bytes], bool], Callable[[Path], Sequence[Table | Reading]]]

READERS: tuple[Reader, ...] = (
    (tensorboard.recognises, tensorboard.read),
    (wandb_log.recognises, wandb_log.read),
    (mlflow_database.recognises, mlflow_database.read),
    (hugging_face.recognises, hugging_face.read),
    (json_lines.recognises, json_lines.read),
    (json_document.recognises, json_document.read),
    (delimited.recognises, delimited.read),
)
"""In this order, the narrower first."""

_ARCHIVES = (b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"(\xb5/\xfd")


@np.errstate(over="ignore", invalid="ignore")
def read_history(
    path: str | Path, mapping: Mapping[str, str] | None = None, patterns: Sequence[str] = ()
) -> list[Reading]:
    """Every run in the file, or in the files of a folder.

    Args:
        path: a file in any format that is known, or a folder.
        mapping: what columns mean where their names do not say it: ``{"train": "l1", "val": "l2"}``, and
            ``train_metric``, ``val_metric``.
        patterns: for text logs: ``"epoch {epoch} loss {loss} val {val_loss}"`` or regular expressions with
            named groups.

    Raises ``InputError`` where nothing can be read.
    """
    path = Path(path)
    tables: Sequence[Table | Reading]
    skipped: list[Message] = []
    if path.is_dir():
        tables, skipped = tables_in(path, lambda file: _read(file, patterns))
    else:
        tables = _read(path, patterns)
    readings = []
    for table in tables:
        try:
            readings.append(table if isinstance(table, Reading) else to_reading(table, mapping))
        except InputError as error:
            if len(tables) == 1:
                raise
            skipped.append(error.message)
    if not readings:
        if skipped:
            raise InputError(
                "{path}: no history in any of its files or runs, the first: {why}",
                path=clean_name(path, 200),
                why=skipped[0],
            )
        raise InputError("{path}: no history in any of its files", path=clean_name(path, 200))
    if skipped:
        last = readings[-1]
        note = say(
            "{count} files or runs without a history left out, the first: {why}", count=len(skipped), why=skipped[0]
        )
        readings[-1] = replace(last, notes=(*last.notes, note))
    return readings


def _read(path: Path, patterns: Sequence[str]) -> Sequence[Table | Reading]:
    head = head_of(path)
    name = clean_name(path, 200)
    if head.startswith(_ARCHIVES):
        raise InputError("{path}: an archive; unpack it first", path=name)
    if head[:1] == b"\x80" and head[1:2] in (b"\2", b"\3", b"\4", b"\5"):
        raise InputError(
            "{path}: a pickle, which can run code when it is opened; save the history as JSON or CSV", path=name
        )
    if patterns:
        return text_log.read(path, patterns)
    for recognises, read in READERS:
        if recognises(head):
            return read(path)
    if not head.strip():
        raise InputError("{path}: the file is empty", path=name)
    raise InputError("{path}: no known format of a history; a text log needs a --pattern", path=name)
