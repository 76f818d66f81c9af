"""The task: what tune and compare need to train candidates, whatever the framework."""

from __future__ import annotations

import numbers
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from sukima.base.checks import check_count, check_number, shown
from sukima.base.errors import InputError

__all__ = ["By", "Setup", "Task", "setup_of", "size_of", "split_validation"]

Setup = dict[str, str | int | float]
"""How trials were trained, as a report tells it: rows of data, loss, optimizer, batch size, epochs."""

By = Literal["loss", "metric"]
"""What a search goes by: the validation loss, or the validation metric (accuracy, say)."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """A model factory, its data and how it is trained.

    Data are a pair ``(inputs, targets)`` of arrays or tensors of equal length, a ``Dataset`` whose items are such
    pairs, or a ``DataLoader`` (which keeps its own batch size and order). Targets are class numbers, one-hot rows or,
    for regression, numbers. Training data are shuffled with the trial's seed, so that the arms of a comparison see
    the same batches.

    Attributes:
        model: called without arguments (or with the options of a recipe) to make a new model.
        train: training data.
        validation: validation data, by which every choice is made; or a fraction of the training data to set aside
            (the last rows, as Keras does).
        test: test data, touched once, by the final comparison; ``None`` if there are none.
        spare: more training rows, a pair of arrays, for those who ask what more data would bring; or ``None``.
        loss: a name (``cross_entropy``, ``mse``, ``mae``, ``huber``, ``binary_cross_entropy``) or a callable
            ``loss(outputs, targets)`` that gives the mean over a batch.
        metric: a name (``accuracy``, ``mse``, ``rmse``, ``mae``, ``r2``), a callable ``metric(outputs, targets)``
            that gives the mean over a batch, or ``None``.
        metric_increases: whether a larger metric is better; ``None`` asks the name (and means yes for a callable).
        optimizer: a name (``sgd``, ``momentum``, ``adam``, ``adamw``, ``rmsprop``) or a callable
            ``optimizer(parameters)`` that makes one.
        learning_rate: for optimizers given by name; ``None`` takes the optimizer's own default.
        clip_norm: the most that the norm of the whole gradient may be; a longer one is shortened to it (Pascanu et al.
            2013). ``None`` leaves it as it is.
        batch_size: rows in a batch, for data that are not a ``DataLoader``.
        epochs: the most epochs a trial may take.
        patience: epochs without a better validation loss after which a trial stops; ``None`` trains to the end. A
            recipe's ``early_stopping`` goes before it.
        device: where to train, as the framework names it.
        name: what reports call it.
    """

    model: Callable[..., Any]
    train: Any
    validation: Any
    test: Any = None
    spare: Any = None
    loss: str | Callable[[Any, Any], Any] = "cross_entropy"
    metric: str | Callable[[Any, Any], Any] | None = None
    metric_increases: bool | None = None
    optimizer: str | Callable[[Any], Any] = "adam"
    learning_rate: float | None = None
    clip_norm: float | None = None
    batch_size: int = 32
    epochs: int = 50
    patience: int | None = None
    device: str = "cpu"
    name: str = "task"

    def __post_init__(self) -> None:
        # A model itself is callable too, but every trial needs a new one.
        if not callable(self.model) or (hasattr(self.model, "parameters") and not isinstance(self.model, type)):
            raise InputError(
                "model must be a function or class that makes a new model, got {value}", value=_kind(self.model)
            )
        for name in ("loss", "optimizer", "metric"):
            value = getattr(self, name)
            if name == "loss" and isinstance(value, type):
                raise InputError("loss must be a name or a callable, got the class {value}", value=value.__name__)
            if not (isinstance(value, str) or callable(value) or (name == "metric" and value is None)):
                raise InputError("{name} must be a name or a callable, got {value}", name=name, value=_kind(value))
        for name in ("learning_rate", "clip_norm"):
            if getattr(self, name) is not None:
                check_number(name, getattr(self, name), above=0)
        check_count("batch_size", self.batch_size)
        check_count("epochs", self.epochs)
        if self.patience is not None:
            check_count("patience", self.patience)
        check_data("train", self.train)
        if isinstance(self.validation, numbers.Real):
            check_number("validation", self.validation, above=0, below=1)
            if not isinstance(self.train, tuple | list):
                raise InputError(
                    "validation must be data where train is not a pair of arrays, got the fraction {value}",
                    value=self.validation,
                )
        else:
            check_data("validation", self.validation)
        for name in ("test", "spare"):
            if getattr(self, name) is not None:
                check_data(name, getattr(self, name))


def split_validation(task: Task) -> tuple[Any, Any]:
    """Training and validation data; a fraction sets aside the last rows of the training data, as Keras does."""
    if not isinstance(task.validation, numbers.Real):
        return task.train, task.validation
    rows = len(task.train[0])
    kept = rows - round(rows * float(task.validation))
    if not 0 < kept < rows:
        raise InputError(
            "validation must leave rows on both sides, got the fraction {value} of {rows} rows",
            value=task.validation,
            rows=rows,
        )
    inputs, targets = task.train
    return (inputs[:kept], targets[:kept]), (inputs[kept:], targets[kept:])


def check_data(name: str, data: Any) -> None:
    """Raise ``InputError`` unless ``data`` is a pair of equally long arrays, a data set or a loader, and not empty."""
    if isinstance(data, tuple | list):
        if len(data) != 2 or not all(hasattr(part, "__len__") for part in data):
            raise InputError(
                "{name} must be a pair (inputs, targets), a Dataset or a DataLoader, got {value}",
                name=name,
                value=f"{_kind(data)} of length {len(data)}",
            )
        inputs, targets = len(data[0]), len(data[1])
        if inputs != targets:
            raise InputError(
                "{name}: inputs and targets must be equally long, got {inputs} and {targets}",
                name=name,
                inputs=inputs,
                targets=targets,
            )
    elif not (hasattr(data, "__getitem__") or hasattr(data, "__iter__")):
        raise InputError(
            "{name} must be a pair (inputs, targets), a Dataset or a DataLoader, got {value}",
            name=name,
            value=_kind(data),
        )
    if size_of(data) == 0:
        raise InputError("{name} must not be empty, got no rows", name=name)


def size_of(data: Any) -> int | None:
    """Number of rows (of batches, for a loader of unknown size); ``None`` where the data do not say."""
    if isinstance(data, tuple | list):
        return len(data[0])
    try:
        return len(getattr(data, "dataset", data))
    except TypeError:
        return None


def setup_of(task: Task) -> Setup:
    """What a reader must know of a task to train it again, besides model and data; what is not known is left out."""
    fraction = task.validation if isinstance(task.validation, int | float) else None
    found: dict[str, str | int | float | None] = {
        "train_rows": size_of(task.train),
        "validation_rows": size_of(task.validation) if fraction is None else f"{100 * fraction:g} %",
        "test_rows": None if task.test is None else size_of(task.test),
        "loss": _named(task.loss),
        "metric": None if task.metric is None else _named(task.metric),
        "optimizer": _named(task.optimizer),
        "learning_rate": task.learning_rate,
        "clip_norm": task.clip_norm,
        "batch_size": task.batch_size,
        "epochs": task.epochs,
        "patience": task.patience,
        "device": task.device,
    }
    return {name: value for name, value in found.items() if value is not None}


def _named(value: str | Callable[..., Any]) -> str:
    return value if isinstance(value, str) else getattr(value, "__name__", type(value).__name__)


def _kind(value: Any) -> str:
    return f"{type(value).__name__} {shown(value)}" if isinstance(value, str | int | float) else type(value).__name__
