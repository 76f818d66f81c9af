"""The task that tune and compare take when none is given: real data and a small network that overfits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sukima.base.checks import check_count
from sukima.base.errors import InputError
from sukima.base.imports import require
from sukima.records.task import Task
from sukima.workflow.datasets import Rows, load_dataset

if TYPE_CHECKING:
    from torch import nn

__all__ = ["demo_task"]

_SETTINGS: dict[str, dict[str, Any]] = {
    "digits": {"learning_rate": 2e-3, "batch_size": 64, "epochs": 50},
    "mnist": {"learning_rate": 1e-3, "batch_size": 128, "epochs": 20},
}


def demo_task(data: str = "digits", *, train_rows: int | None = None, split: int = 0) -> Task:
    """A classification task on a data set by name.

    Args:
        data: ``digits`` or ``mnist``.
        train_rows: training images, 800 of digits and 10,000 of MNIST by default; digits keeps 400 for validation
            and the rest for test, MNIST 10,000 for validation and its own test set.
        split: decides which images go where.
    """
    require("torch", "torch")
    training, own_test = load_dataset(data)
    validation_rows, test_rows = (400, 597) if own_test is None else (10_000, 0)
    order = np.random.default_rng(split).permutation(len(training.targets))
    validation, test, rest = np.split(order, [validation_rows, validation_rows + test_rows])
    rows = check_count("train_rows", (800 if own_test is None else 10_000) if train_rows is None else train_rows)
    if rows > len(rest):
        raise InputError(
            "train_rows must be at most {most} for {data}, got {rows}", most=len(rest), data=data, rows=rows
        )
    features = training.inputs.shape[1]

    def model() -> nn.Module:
        from torch import nn

        return nn.Sequential(
            nn.Linear(features, 256),
            nn.ReLU(),
            nn.Linear(256, 128),
            nn.ReLU(),
            nn.Linear(128, 10),
        )

    settings = _SETTINGS[data]
    return Task(
        model=model,
        train=_take(training, rest[:rows]),
        validation=_take(training, validation),
        test=_take(training, test) if own_test is None else tuple(own_test),
        spare=_take(training, rest[rows:]) if rows < len(rest) else None,
        loss="cross_entropy",
        metric="accuracy",
        optimizer="adam",
        name=f"{data}, {rows} training images",
        **settings,
    )


def _take(rows: Rows, chosen: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    return rows.inputs[chosen], rows.targets[chosen]
