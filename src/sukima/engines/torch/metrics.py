"""Metrics by name, added up batch by batch so that no outputs need be kept."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from sukima.base.checks import check_choice
from sukima.base.errors import InputError
from sukima.engines.torch.losses import classes_second, match_targets
from sukima.records.task import Task

__all__ = ["METRICS", "Metric", "make_metric"]


class Metric:
    """Adds up over batches; `value` gives the metric of all rows seen."""

    increases = True

    def add(self, outputs: Any, targets: Any, rows: int) -> None:
        """Take one batch into account."""
        raise NotImplementedError

    def value(self) -> float:
        """The metric of all rows so far."""
        raise NotImplementedError


class _Mean(Metric):
    """Mean over batches, weighted by their rows: what a callable metric gets."""

    def __init__(self, function: Callable[[Any, Any], Any], increases: bool) -> None:
        self._function, self.increases = function, increases
        self._total, self._rows = 0.0, 0

    def add(self, outputs: Any, targets: Any, rows: int) -> None:
        self._total += float(self._function(outputs, targets)) * rows
        self._rows += rows

    def value(self) -> float:
        return self._total / self._rows


class _Accuracy(Metric):
    """Share of rows (of positions, for sequences) whose class is right; of signs that are right for binary logits."""

    def __init__(self, by_sign: bool = False) -> None:
        self._by_sign = by_sign
        self._right, self._seen = 0, 0

    def add(self, outputs: Any, targets: Any, rows: int) -> None:
        outputs = classes_second(outputs, targets)
        if self._by_sign or outputs.ndim < 2 or outputs.shape[1] == 1:
            right = (outputs.flatten() > 0) == (match_targets(outputs, targets).flatten() > 0.5)
        else:
            classes = targets.argmax(1) if targets.shape == outputs.shape else targets.reshape(outputs[:, 0].shape)
            right = outputs.argmax(1) == classes
        self._right += int(right.sum())
        self._seen += right.numel()

    def value(self) -> float:
        return self._right / self._seen


class _Errors(Metric):
    """Sums from which the regression metrics follow, in double precision."""

    def __init__(self, name: str) -> None:
        self._name, self.increases = name, name == "r2"
        self._count, self._absolute, self._squared = 0, 0.0, 0.0
        self._mean, self._spread = 0.0, 0.0

    def add(self, outputs: Any, targets: Any, rows: int) -> None:
        targets = match_targets(outputs, targets).double()
        error = outputs.double() - targets
        self._absolute += float(error.abs().sum())
        self._squared += float(error.square().sum())
        # Chan et al.'s pairwise update: the sum of squares about the mean without cancellation.
        count, mean = targets.numel(), float(targets.mean())
        total, shift = self._count + count, mean - self._mean
        self._spread += float((targets - mean).square().sum()) + shift**2 * self._count * count / total
        self._mean += shift * count / total
        self._count = total

    def value(self) -> float:
        if self._name == "mae":
            return self._absolute / self._count
        if self._name == "r2":
            return 1 - self._squared / self._spread if self._spread else math.nan
        mse = self._squared / self._count
        return math.sqrt(mse) if self._name == "rmse" else mse


METRICS: dict[str, Callable[[], Metric]] = {
    "accuracy": _Accuracy,
    "mse": lambda: _Errors("mse"),
    "rmse": lambda: _Errors("rmse"),
    "mae": lambda: _Errors("mae"),
    "r2": lambda: _Errors("r2"),
}
"""Metric by its name."""


def make_metric(task: Task) -> Metric | None:
    """A fresh metric for one pass over the task's data, or ``None`` if the task has none."""
    if task.metric is None:
        return None
    if callable(task.metric):
        return _Mean(task.metric, task.metric_increases is not False)
    check_choice("metric", task.metric, METRICS)
    by_sign = task.metric == "accuracy" and task.loss == "binary_cross_entropy"  # several labels may be right in a row
    metric = _Accuracy(by_sign=True) if by_sign else METRICS[task.metric]()
    if task.metric_increases not in (None, metric.increases):
        raise InputError(
            "metric_increases must be {expected} for {metric}, got {value}",
            expected=metric.increases,
            metric=repr(task.metric),
            value=task.metric_increases,
        )
    return metric
