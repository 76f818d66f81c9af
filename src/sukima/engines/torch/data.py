"""Batches from whatever data a task has: arrays, data sets or loaders."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, RandomSampler, SequentialSampler, Subset, TensorDataset

from sukima.base.errors import InputError
from sukima.records.task import Task, split_validation

__all__ = ["Batches", "TaskData", "example_input", "open_data"]

_ROWS_AT_INFERENCE, _NUMBERS_AT_INFERENCE = 1024, 1 << 20
"""Larger batches than in training: results are the same and small models spend less time in overhead. Only for rows
that are short and real-valued: a batch of images or of token numbers may become very large inside a model."""

Batch = tuple[Any, Any]


class Batches(Protocol):
    """Data of a task, ready to be passed through a model."""

    def shuffled(self, seed: int) -> Iterator[Batch]:
        """One epoch for training; the order is a function of ``seed``."""
        ...

    def in_order(self) -> Iterator[Batch]:
        """Every row once, for measuring."""
        ...

    def sample(self) -> Batches:
        """Some of them, always the same, for measuring roughly."""
        ...


class ArrayBatches:
    """Rows of two tensors."""

    def __init__(self, inputs: Tensor, targets: Tensor, batch_size: int) -> None:
        self.inputs, self.targets, self._size = inputs, targets, batch_size

    def shuffled(self, seed: int) -> Iterator[Batch]:
        """One epoch in a random order."""
        order = self.order(seed)
        for start, stop in self.spans():
            chosen = order[start:stop]
            yield self.inputs[chosen], self.targets[chosen]

    def order(self, seed: int) -> Tensor:
        """The order of the rows in an epoch."""
        order = torch.randperm(len(self.targets), generator=torch.Generator().manual_seed(seed))
        return order.to(self.inputs.device)

    def spans(self) -> list[tuple[int, int]]:
        """Where the batches of an epoch begin and end; a last one of a single row is left out (batch norm fails)."""
        rows = len(self.targets)
        spans = [(start, min(start + self._size, rows)) for start in range(0, rows, self._size)]
        return spans[:-1] if rows > 1 and self._size > 1 and rows % self._size == 1 else spans

    def in_order(self) -> Iterator[Batch]:
        """Every row once."""
        size = self._size
        if self.inputs.is_floating_point():
            row = max(1, self.inputs[:1].numel())
            size = max(size, min(_ROWS_AT_INFERENCE, _NUMBERS_AT_INFERENCE // row))
        yield from zip(torch.split(self.inputs, size), torch.split(self.targets, size), strict=True)

    def sample(self) -> ArrayBatches:
        """Rows at even distances."""
        chosen = _spread(len(self.targets), targets=self.targets[:1].numel()).to(self.inputs.device)
        return ArrayBatches(self.inputs[chosen], self.targets[chosen], self._size)


class LoaderBatches:
    """What a ``DataLoader`` gives, in the order and the sizes that it decides."""

    def __init__(self, name: str, loader: DataLoader[Any], device: torch.device) -> None:
        self._name, self._loader, self._device = name, loader, device

    def shuffled(self, seed: int) -> Iterator[Batch]:
        """One epoch; the loader's generators are seeded first, so that its order is a function of ``seed``."""
        for generator in {self._loader.generator, getattr(self._loader.sampler, "generator", None)} - {None}:
            generator.manual_seed(seed)
        yield from self._batches(seed)

    def in_order(self) -> Iterator[Batch]:
        """Every row that the loader gives."""
        yield from self._batches(0)

    def sample(self) -> LoaderBatches:
        """All of them: where a loader takes its rows from is its own affair."""
        return self

    def _batches(self, seed: int) -> Iterator[Batch]:
        # The loader draws its order, and its data set random crops and the like, from the default generator. They get
        # their own stretch of it: masks draw too, and two arms would not see the same batches otherwise.
        state = torch.Generator().manual_seed(seed).get_state()
        iterator, empty = None, True
        while True:
            with torch.random.fork_rng(devices=[]):
                torch.set_rng_state(state)
                iterator = iterator or iter(self._loader)
                batch = next(iterator, None)
                state = torch.get_rng_state()
            if batch is None:
                break
            empty = False
            yield self._pair(batch)
        if empty:
            raise InputError("{name} must not be empty, got no rows", name=self._name)

    def _pair(self, batch: Any) -> Batch:
        if not isinstance(batch, tuple | list) or len(batch) != 2:
            raise InputError(
                "{name}: each batch must be a pair (inputs, targets), got {kind}",
                name=self._name,
                kind=type(batch).__name__ + (f" of length {len(batch)}" if isinstance(batch, tuple | list) else ""),
            )
        return _to(batch[0], self._device), _to(batch[1], self._device)


_SAMPLED, _FEWEST = 8, 256


def _spread(rows: int, targets: int = 1) -> Tensor:
    """Every eighth row or so, and at least as many as have 256 targets."""
    count = min(rows, max(rows // _SAMPLED, -(-_FEWEST // max(1, targets))))
    return torch.arange(count) * rows // count


def open_data(name: str, data: Any, task: Task) -> Batches:
    """The data as batches on the task's device."""
    device = torch.device(task.device)
    if isinstance(data, TensorDataset) and len(data.tensors) == 2:
        data = data.tensors
    if isinstance(data, tuple | list):
        inputs = _tensor(f"{name} inputs", data[0]).to(device)
        return ArrayBatches(inputs, _tensor(f"{name} targets", data[1]).to(device), task.batch_size)
    if isinstance(data, DataLoader):
        return LoaderBatches(name, data, device)
    return DatasetBatches(name, data, task.batch_size, device)


class DatasetBatches:
    """Items of a ``Dataset``, collated as a ``DataLoader`` does."""

    def __init__(self, name: str, dataset: Any, batch_size: int, device: torch.device) -> None:
        self._name, self._dataset, self._size, self._device = name, dataset, batch_size, device

    def shuffled(self, seed: int) -> Iterator[Batch]:
        """One epoch in a random order."""
        generator = torch.Generator().manual_seed(seed)
        alone = len(self._dataset) % self._size == 1 and len(self._dataset) > 1 and self._size > 1
        yield from self._loader(RandomSampler(self._dataset, generator=generator), drop_last=alone).shuffled(seed)

    def in_order(self) -> Iterator[Batch]:
        """Every item once."""
        yield from self._loader(SequentialSampler(self._dataset)).in_order()

    def sample(self) -> DatasetBatches:
        """Items at even distances."""
        chosen = Subset(self._dataset, _spread(len(self._dataset)).tolist())
        return DatasetBatches(self._name, chosen, self._size, self._device)

    def _loader(self, sampler: Any, drop_last: bool = False) -> LoaderBatches:
        loader = DataLoader(self._dataset, batch_size=self._size, sampler=sampler, drop_last=drop_last)
        return LoaderBatches(self._name, loader, self._device)


def example_input(task: Task) -> Any:
    """A few rows of training inputs, to learn the order of execution from."""
    inputs, _ = next(open_data("train", split_validation(task)[0], task).in_order())
    return inputs[:2] if isinstance(inputs, Tensor) else inputs


class TaskData:
    """The data of a task, opened and checked once for many runs.

    Attributes:
        measured: the training data by which curves are drawn: all, or with ``sampled`` a sample of them.
        is_channels_last: whether images lie so in memory.
    """

    def __init__(self, task: Task, *, sampled: bool = False) -> None:
        train, validation = split_validation(task)
        self._task, self.train_rows = task, train
        self.train, self.validation = open_data("train", train, task), open_data("validation", validation, task)
        self.measured = self.train.sample() if sampled else self.train
        self.example = example_input(task)
        self.is_channels_last = False

    def channels_last(self) -> None:
        """Have images lie in memory with their channels last from now on."""
        if not self.is_channels_last:
            self.is_channels_last = True
            for part in (self.train, self.measured, self.validation):
                _to_channels_last(part)

    def test(self) -> Batches:
        """The test data, not touched before."""
        data = open_data("test", self._task.test, self._task)
        if self.is_channels_last:
            _to_channels_last(data)
        return data


def _to_channels_last(data: Batches) -> None:
    if isinstance(data, ArrayBatches) and data.inputs.ndim == 4:
        data.inputs = data.inputs.contiguous(memory_format=torch.channels_last)


def _tensor(name: str, values: Any) -> Tensor:
    """A tensor that layers and losses accept: floating-point values become the default dtype, others stay."""
    if not isinstance(values, Tensor):
        array = np.asarray(values)
        if array.dtype == object or array.dtype.kind not in "biuf":
            raise InputError("{name} must be numbers in equal rows, got dtype {dtype}", name=name, dtype=array.dtype)
        if array.dtype.kind == "u" and array.dtype.itemsize > 1:
            array = array.astype(np.int64)
        values = torch.from_numpy(
            np.require(array, requirements=("C", "W"))
        )  # what is shared between processes is read-only
    if values.is_floating_point() and not torch.isfinite(values).all():
        raise InputError("{name} must be finite, got NaN or infinite values", name=name)
    tensor: Tensor = values
    return tensor.to(torch.get_default_dtype()) if tensor.is_floating_point() else tensor


def _to(value: Any, device: torch.device) -> Any:
    if isinstance(value, Tensor):
        value = value.to(device)
        return value.to(torch.get_default_dtype()) if value.dtype == torch.float64 else value
    if isinstance(value, dict):
        return {key: _to(part, device) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(_to(part, device) for part in value)
    return value
