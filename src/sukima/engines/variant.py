"""Variants of a task: the same work with another network or other data, as arms that no recipe can express.

Each takes a task and gives another. The model factory stays what it was and its result is changed, so that names of
sites and, where nothing else is drawn, initial weights are those of the unchanged task with the same seed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sukima.base.messages import Message
from sukima.records.task import Task

__all__ = ["UnavailableError", "with_model"]


class UnavailableError(Exception):
    """Why a task has no such variant; the comparison leaves that arm out and says so."""

    def __init__(self, why: Message) -> None:
        super().__init__(str(why))
        self.why = why


def with_model(task: Task, change: Callable[[Any], Any]) -> Task:
    """The task with what ``change`` makes of its model."""

    @functools.wraps(task.model)
    def model(**options: Any) -> Any:
        return change(task.model(**options))

    return replace(task, model=model)
