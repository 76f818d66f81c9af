"""What a reader gives: a history, and what was understood."""

from __future__ import annotations

from dataclasses import dataclass, field

from sukima.base.messages import Message
from sukima.records.history import History

__all__ = ["Reading"]


@dataclass(frozen=True)
class Reading:
    """One run that was read.

    Attributes:
        history: its curves.
        source: the file, and the run in it if there are several.
        format: the format that was recognised.
        understood: curve → name that it has in the file.
        notes: what was left out or repaired.
    """

    history: History
    source: str = ""
    format: str = ""
    understood: dict[str, str] = field(default_factory=dict)
    notes: tuple[Message, ...] = ()
