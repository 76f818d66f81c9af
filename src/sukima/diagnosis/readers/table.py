"""The common form between files and histories: named series of values over steps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from sukima.base.messages import Message
from sukima.diagnosis.curves import Array

__all__ = ["Series", "Table", "number"]

_THOUSANDS = re.compile(r"[-+]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?")


@dataclass(frozen=True)
class Series:
    """Values over steps; whatever the step counts (epochs, batches, rows), larger is later."""

    steps: Array
    values: Array

    @classmethod
    def of(cls, values: Sequence[float], steps: Sequence[float] | None = None) -> Series:
        """A series; without steps its values are numbered from 1."""
        array = np.asarray(values, dtype=np.float64)
        at = np.arange(1.0, len(array) + 1) if steps is None else np.asarray(steps, dtype=np.float64)
        return cls(at, array)


@dataclass(frozen=True)
class Table:
    """One run as its file has it.

    Attributes:
        series: name → values over steps.
        source: the file, and the run in it.
        format: the format that was recognised.
        notes: what was left out or repaired.
        by_position: whether lists were given without any steps; then unequal lengths are a mistake in the record
            rather than curves recorded at different moments.
    """

    series: dict[str, Series]
    source: str = ""
    format: str = ""
    notes: list[Message] = field(default_factory=list)
    by_position: bool = False


def number(text: object) -> float | None:
    """The number that a cell holds, NaN and Inf included; ``None`` where it holds none."""
    if isinstance(text, bool) or text is None:
        return None
    if isinstance(text, int | float):
        try:
            return float(text)
        except OverflowError:
            return float("inf") if text > 0 else float("-inf")
    if not isinstance(text, str) or len(text) > 64:
        return None
    try:
        return float(text.strip().rstrip("%"))
    except ValueError:
        return float(text.replace(",", "")) if _THOUSANDS.fullmatch(text) else None
