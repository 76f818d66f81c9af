"""Hugging Face's ``trainer_state.json``: rows of training and of evaluation, under ``log_history``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sukima.base.errors import InputError
from sukima.diagnosis.readers.json_document import flat, load
from sukima.diagnosis.readers.rows import Rows
from sukima.diagnosis.readers.runs import tables_of
from sukima.diagnosis.readers.table import Table
from sukima.diagnosis.readers.text import clean_name, decode

__all__ = ["read", "recognises"]


def recognises(head: bytes) -> bool:
    """Whether this is a JSON object with the keys that a trainer's state begins with."""
    text = decode(head)
    start = text[:4096]
    return start.lstrip()[:1] == "{" and (
        '"log_history"' in text or ('"best_model_checkpoint"' in start and '"best_metric"' in start)
    )


def read(path: Path) -> list[Table]:
    """The run in the file; the summary row at its end is left out, since it is a mean over the whole run."""
    document = load(path)
    history = document.get("log_history") if isinstance(document, Mapping) else None
    if not isinstance(history, list):
        raise InputError("{path}: 'log_history' must be a list of rows", path=clean_name(path, 200))
    rows = Rows()
    for row in history:
        if isinstance(row, Mapping) and "train_runtime" not in row:
            rows.add({name: value for name, value in flat(row).items() if not _is_cost(name)})
    tables = tables_of(rows, str(path), "Hugging Face")
    if not tables:
        raise InputError("{path}: no rows of numbers found", path=clean_name(path, 200))
    return tables


def _is_cost(name: str) -> bool:
    return name.endswith(("_runtime", "_per_second", "total_flos"))
