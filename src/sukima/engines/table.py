"""The engines by name."""

from __future__ import annotations

from typing import Literal, get_args

from sukima.base.checks import check_choice
from sukima.base.errors import InputError
from sukima.engines.engine import Engine
from sukima.engines.local import LocalEngine
from sukima.engines.progress import Progress
from sukima.records.task import Task

__all__ = ["ENGINES", "EngineName", "make_engine"]

EngineName = Literal["local", "ray"]

ENGINES: tuple[str, ...] = get_args(EngineName)
"""The names."""


def make_engine(
    name: EngineName,
    task: Task,
    progress: Progress | None = None,
    *,
    workers: int | None = None,
    address: str | None = None,
) -> Engine:
    """The engine of that name.

    Raises:
        InputError: no such engine, an address for one that has none, or the cluster cannot be used.
    """
    check_choice("engine", name, ENGINES)
    if name == "ray":
        from sukima.engines.ray import RayEngine

        return RayEngine(task, progress, workers=workers, address=address)
    if address is not None:
        raise InputError("address must be left out unless engine is 'ray', got {value}", value=repr(address))
    return LocalEngine(task, progress, workers=workers)
