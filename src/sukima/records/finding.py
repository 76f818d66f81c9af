"""A finding: one thing that audit saw, where it stands, why it matters and what to write instead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sukima.base.messages import Language, Message

__all__ = ["Edit", "Finding", "Fix", "Severity", "severity_of"]

Severity = Literal["error", "warning", "advice"]
_SEVERITIES: dict[str, Severity] = {"1": "error", "2": "warning", "3": "advice"}


def severity_of(code: str) -> Severity:
    """What a code says by its first digit: 1 always wrong, 2 likely wrong, 3 advice."""
    return _SEVERITIES[code[2]]


@dataclass(frozen=True, order=True)
class Edit:
    """Replace the text between two places; lines count from 1, columns are UTF-8 bytes as in Python's ``ast``."""

    line: int
    column: int
    end_line: int
    end_column: int
    text: str


@dataclass(frozen=True)
class Fix:
    """Edits that mend a finding. A safe fix cannot change what a right program does."""

    edits: tuple[Edit, ...]
    safe: bool


@dataclass(frozen=True)
class Finding:
    """One finding; ``site`` is the dotted name of the place in the model, where there is one."""

    code: str
    message: Message
    path: str | None = None
    line: int | None = None
    column: int = 0
    site: str | None = None
    remedy: Message | None = None
    fix: Fix | None = None

    @property
    def severity(self) -> Severity:
        """Error, warning or advice."""
        return severity_of(self.code)

    @property
    def key(self) -> tuple[str, int, int, str, str]:
        """What two reports of the same thing share; also the order in which findings are shown."""
        return (self.path or "", self.line or 0, self.column, self.code, self.site or "")

    def to_dict(self, lang: Language | None = None) -> dict[str, Any]:
        """The stable form that ``sukima audit --json`` prints."""
        return {
            "code": self.code,
            "severity": self.severity,
            "path": self.path,
            "line": self.line,
            "site": self.site,
            "message": self.message.text(lang),
            "fix": self.remedy.text(lang) if self.remedy else None,
        }
