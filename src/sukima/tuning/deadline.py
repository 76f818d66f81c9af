"""The budget: how long a search may take, and what is kept back for its end."""

from __future__ import annotations

import re
import time

from sukima.base.errors import InputError

__all__ = ["BudgetSpentError", "Deadline", "seconds_of"]

_UNITS = {"": 1.0, "s": 1.0, "sec": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0}


class BudgetSpentError(Exception):
    """The time is up; what has finished is kept."""


class Deadline:
    """When the work began, and how long all of it may take.

    Attributes:
        seconds: for all of it; ``None`` is without end.
        reserve: seconds at the end that the part at work may not use.
    """

    def __init__(self, seconds: float | None) -> None:
        self.seconds, self.reserve = seconds, 0.0
        self._started = time.perf_counter()

    @property
    def spent(self) -> float:
        """Seconds since the beginning."""
        return time.perf_counter() - self._started

    @property
    def left(self) -> float:
        """Seconds that the part at work still has."""
        return float("inf") if self.seconds is None else self.seconds - self.reserve - self.spent

    def check(self) -> None:
        """Raise ``BudgetSpentError`` if there are none."""
        if self.left <= 0:
            raise BudgetSpentError


def seconds_of(budget: str | float | None) -> float | None:
    """Seconds from ``"10min"``, ``"90s"``, ``"1.5h"`` or a number of seconds."""
    if budget is None:
        return None
    if isinstance(budget, str):
        found = re.fullmatch(r"\s*(\d+(?:\.\d*)?)\s*([a-z]*)\s*", budget.lower())
        seconds = float(found[1]) * _UNITS[found[2]] if found and found[2] in _UNITS else 0.0
    else:
        seconds = float(budget) if isinstance(budget, int | float) and not isinstance(budget, bool) else 0.0
    if not 0 < seconds < float("inf"):
        raise InputError(
            "budget must be a time above 0 such as '90s', '10min' or '1.5h', got {value}", value=repr(budget)
        )
    return seconds
