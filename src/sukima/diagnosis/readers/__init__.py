"""Readers of histories: one file a format, recognised by content."""

from __future__ import annotations

from sukima.diagnosis.readers.keras_history import read_object
from sukima.diagnosis.readers.reading import Reading
from sukima.diagnosis.readers.recognise import read_history

__all__ = ["Reading", "read_history", "read_object"]
