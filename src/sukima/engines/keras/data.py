"""The arrays of a task with a Keras model."""

from __future__ import annotations

import numbers
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sukima.base.errors import InputError
from sukima.records.task import Task

__all__ = ["Rows", "TaskArrays"]


@dataclass(frozen=True)
class Rows:
    """Inputs and targets of equal length."""

    inputs: NDArray[Any]
    targets: NDArray[Any]


class TaskArrays:
    """Training, validation and test data of a task."""

    def __init__(self, task: Task) -> None:
        self.train = _rows("train", task.train)
        self.test = None if task.test is None else _rows("test", task.test)
        if isinstance(task.validation, numbers.Real):
            self.train, self.validation = _split(self.train, float(task.validation))
        else:
            self.validation = _rows("validation", task.validation)


def _split(rows: Rows, fraction: float) -> tuple[Rows, Rows]:
    """The last rows are set aside, as Keras does."""
    count = len(rows.targets)
    kept = count - round(count * fraction)
    if not 0 < kept < count:
        raise InputError(
            "validation must leave rows on both sides, got the fraction {value} of {rows} rows",
            value=fraction,
            rows=count,
        )
    return Rows(rows.inputs[:kept], rows.targets[:kept]), Rows(rows.inputs[kept:], rows.targets[kept:])


def _rows(name: str, data: Any) -> Rows:
    if not isinstance(data, tuple | list) or len(data) != 2:
        raise InputError(
            "{name} must be a pair of arrays with a Keras model, got {kind}", name=name, kind=type(data).__name__
        )
    return Rows(_array(f"{name} inputs", data[0]), _array(f"{name} targets", data[1]))


def _array(name: str, values: Any) -> NDArray[Any]:
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise InputError("{name} must be numbers in equal rows, got dtype {dtype}", name=name, dtype=array.dtype)
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise InputError("{name} must be finite, got NaN or infinite values", name=name)
        return array.astype(np.float32, copy=False)
    return array
