"""Which reader a file needs, by what is in it rather than by its name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sukima.base.errors import InputError
from sukima.diagnosis.readers import delimited, json_document
from sukima.diagnosis.readers.align import to_reading
from sukima.diagnosis.readers.reading import Reading
from sukima.diagnosis.readers.text import clean_name, head_of

__all__ = ["read_history"]


def read_history(path: str | Path, mapping: Mapping[str, str] | None = None) -> list[Reading]:
    """Every run in the file; raises ``InputError`` where none can be read."""
    path = Path(path)
    head = head_of(path)
    for reader in (json_document, delimited):
        if reader.recognises(head):
            return [found if isinstance(found, Reading) else to_reading(found, mapping) for found in reader.read(path)]
    raise InputError("{path}: no known format of a history", path=clean_name(path, 200))
