"""The data of a task with a Keras model: arrays, or data sets that give batches."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import keras
import numpy as np

from sukima.base.errors import InputError
from sukima.engines.probe import Array
from sukima.records.task import Task, split_validation

__all__ = ["Batches", "Data", "Rows", "TaskArrays", "some_rows"]

_ROWS_AT_INFERENCE = 1024


class Rows:
    """Inputs and targets of equal length."""

    def __init__(self, inputs: Array, targets: Array) -> None:
        self.inputs, self.targets = inputs, targets

    def in_order(self, size: int = _ROWS_AT_INFERENCE) -> Iterator[tuple[Any, Array]]:
        """Every row once, in batches."""
        for start in range(0, len(self.targets), size):
            yield self.inputs[start : start + size], self.targets[start : start + size]

    def to_train(self, seed: int, batch_size: int) -> dict[str, Any]:
        """What ``fit`` takes for an epoch; the order is a function of ``seed``."""
        order = np.random.default_rng(seed).permutation(len(self.targets))
        return {"x": self.inputs[order], "y": self.targets[order], "batch_size": batch_size, "shuffle": False}

    def to_measure(self, batch_size: int) -> dict[str, Any]:
        """What ``evaluate`` takes."""
        return {"x": self.inputs, "y": self.targets, "batch_size": max(batch_size, _ROWS_AT_INFERENCE)}


class Batches:
    """A data set as Keras users have them, in the order and the sizes that it decides; read anew for every epoch."""

    def __init__(self, name: str, data: Any) -> None:
        self._name, self._data = name, data
        inputs, targets = next(self.in_order(), (None, None))
        if targets is None:
            raise InputError("{name} must not be empty, got no rows", name=name)
        if not np.ndim(targets):
            raise InputError("{name} must give batches, got single rows: call .batch() on the data set", name=name)
        for part in (*keras.tree.flatten(inputs), targets):
            _array(name, part)

    def in_order(self) -> Iterator[tuple[Any, Array]]:
        """Every batch once, as arrays."""
        indexed = isinstance(self._data, keras.utils.PyDataset)
        for batch in (self._data[i] for i in range(self._data.num_batches)) if indexed else self._data:
            if not isinstance(batch, tuple | list) or len(batch) != 2:
                raise InputError(
                    "{name}: each batch must be a pair (inputs, targets), got {kind}",
                    name=self._name,
                    kind=type(batch).__name__ + (f" of length {len(batch)}" if isinstance(batch, tuple | list) else ""),
                )
            inputs, targets = keras.tree.map_structure(np.asarray, tuple(batch))
            yield inputs, targets

    @cached_property
    def targets(self) -> Array:
        """Of every row."""
        return np.concatenate([targets for _, targets in self.in_order()])

    def to_train(self, seed: int, batch_size: int) -> dict[str, Any]:
        """What ``fit`` takes for an epoch. Python's and NumPy's generators, by which data sets draw, are seeded."""
        random.seed(seed)
        np.random.seed(seed & 0xFFFFFFFF)
        return {"x": self._data}

    def to_measure(self, batch_size: int) -> dict[str, Any]:
        """What ``evaluate`` takes."""
        return {"x": self._data}


Data = Rows | Batches


class TaskArrays:
    """Training, validation and test data of a task."""

    def __init__(self, task: Task) -> None:
        train, validation = split_validation(task)
        self.train, self.validation = _opened("train", train), _opened("validation", validation)
        self.test = None if task.test is None else _opened("test", task.test)

    def parts(self) -> dict[str, Data]:
        """Those that there are, by name."""
        test: dict[str, Data] = {} if self.test is None else {"test": self.test}
        return {"train": self.train, "validation": self.validation} | test


def some_rows(data: Data, count: int) -> tuple[Any, Array]:
    """The first rows, at most those of the first batch."""
    inputs, targets = next(data.in_order())
    return keras.tree.map_structure(lambda part: part[:count], inputs), targets[:count]


def _opened(name: str, data: Any) -> Data:
    if isinstance(data, tuple | list) and len(data) == 2:
        return Rows(_array(f"{name} inputs", data[0]), _array(f"{name} targets", data[1]))
    if isinstance(data, keras.utils.PyDataset) or _is_of(data, "tensorflow", "Dataset", "DatasetV2"):
        _check_end(name, data)
    elif not _is_of(data, "torch", "DataLoader"):
        raise InputError(
            "{name} must be a pair of arrays, a keras.utils.PyDataset, a tf.data.Dataset or a DataLoader with a Keras "
            "model, got {kind}",
            name=name,
            kind=type(data).__name__,
        )
    return Batches(name, data)


def _is_of(data: Any, package: str, *names: str) -> bool:
    """Whether it is an object of one of these classes of a package, which is not imported to find out."""
    return any(c.__name__ in names and c.__module__.split(".")[0] == package for c in type(data).__mro__)


def _check_end(name: str, data: Any) -> None:
    endless = data.num_batches is None if isinstance(data, keras.utils.PyDataset) else int(data.cardinality()) == -1
    if endless:
        raise InputError("{name} must come to an end, got a data set that repeats for ever", name=name)


def _array(name: str, values: Any) -> Array:
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise InputError("{name} must be numbers in equal rows, got dtype {dtype}", name=name, dtype=array.dtype)
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise InputError("{name} must be finite, got NaN or infinite values", name=name)
        return array.astype(np.float32, copy=False)
    return array
