"""The task that tune and compare work on, from what the user typed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sukima.base.errors import InputError
from sukima.cli.objects import load_object

if TYPE_CHECKING:
    from sukima.records.task import Task

__all__ = ["chosen_task"]


def chosen_task(target: str | None, data: str | None, epochs: int | None) -> Task:
    """The task in the user's file, or one on a data set by name."""
    from sukima.records.task import Task
    from sukima.workflow.demo import demo_task

    if target is not None and data is not None:
        raise InputError("--data must be left out where a file is given, got {value}", value=repr(data))
    task = demo_task(data or "digits") if target is None else load_object(target, "task", Task)
    return replace(task, epochs=epochs) if epochs is not None else task
