"""Losses and metrics of a task, row by row, for Keras models that give logits or probabilities."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from sukima.base.checks import check_choice
from sukima.base.errors import InputError
from sukima.records.task import Task

__all__ = ["LOSSES", "by_rows", "final_metric", "gives_logits", "loss_by_rows", "metric_by_rows", "metric_increases"]

ByRows = Callable[[Any, Any], Any]
"""From targets and outputs of a batch, in Keras' order, to a number for each row."""

LOSSES = ("cross_entropy", "mse", "mae", "huber", "binary_cross_entropy")
METRICS = ("accuracy", "mse", "rmse", "mae", "r2")


def gives_logits(model: Any) -> bool:
    """Whether the model's outputs are before the softmax or sigmoid: nothing of that kind is the last of its layers."""
    last = model.layers[-1]
    while isinstance(last, keras.Model):
        last = last.layers[-1]
    name = getattr(getattr(last, "activation", None), "__name__", "")
    return not (name in ("softmax", "sigmoid") or isinstance(last, keras.layers.Softmax))


def loss_by_rows(loss: Any, *, logits: bool, label_smoothing: float = 0.0) -> ByRows:
    """The loss of that name, ``loss(outputs, targets)``, or one of Keras' loss objects."""
    if label_smoothing and loss != "cross_entropy":
        raise InputError("label_smoothing must be 0 unless loss is 'cross_entropy', got {value}", value=label_smoothing)
    if isinstance(loss, keras.losses.Loss):
        return lambda targets, outputs: _a_row(loss.call(targets, outputs), outputs)
    if callable(loss):
        return lambda targets, outputs: _a_row(loss(outputs, targets), outputs)
    check_choice("loss", loss, LOSSES)
    if loss == "cross_entropy":
        return lambda targets, outputs: _cross_entropy(targets, outputs, logits, label_smoothing)
    if loss == "binary_cross_entropy":
        return lambda targets, outputs: _rowwise(
            ops.binary_crossentropy(_like(targets, outputs), outputs, from_logits=logits)
        )
    return lambda targets, outputs: _rowwise(_ERRORS[loss](_like(targets, outputs) - outputs))


_ERRORS: dict[str, Callable[[Any], Any]] = {
    "mse": ops.square,
    "mae": ops.abs,
    "huber": lambda error: ops.where(ops.abs(error) <= 1, 0.5 * ops.square(error), ops.abs(error) - 0.5),
}


def metric_by_rows(task: Task, *, logits: bool) -> ByRows | None:
    """The task's metric, or what it is computed from at the end (`final_metric`); ``None`` if it has none."""
    if task.metric is None:
        return None
    if callable(task.metric):
        metric = task.metric
        return lambda targets, outputs: _a_row(metric(outputs, targets), outputs)
    check_choice("metric", task.metric, METRICS)
    if task.metric == "accuracy":
        by_sign = task.loss == "binary_cross_entropy"
        return lambda targets, outputs: _accuracy(targets, outputs, logits, by_sign)
    return loss_by_rows("mae" if task.metric == "mae" else "mse", logits=logits)


def metric_increases(task: Task) -> bool:
    """Whether more of the task's metric is better."""
    known = task.metric not in ("mse", "rmse", "mae")
    given = task.metric_increases
    if isinstance(task.metric, str) and given not in (None, known):
        raise InputError(
            "metric_increases must be {expected} for {metric}, got {value}",
            expected=known,
            metric=repr(task.metric),
            value=given,
        )
    return known if given is None else given


def final_metric(task: Task, mean: float, targets: Any) -> float:
    """The metric, from the mean of what `metric_by_rows` gives."""
    if task.metric == "rmse":
        return math.sqrt(mean)
    if task.metric == "r2":
        spread = float(np.var(np.asarray(targets, np.float64)))
        return 1 - mean / spread if spread else math.nan
    return mean


def by_rows(function: ByRows, name: str) -> Any:
    """A Keras metric: the mean over rows."""
    return keras.metrics.MeanMetricWrapper(function, name=name)


def _cross_entropy(targets: Any, outputs: Any, logits: bool, smoothing: float) -> Any:
    classes = outputs.shape[-1]
    if len(targets.shape) == len(outputs.shape) and targets.shape[-1] == classes != 1:
        shares = ops.cast(targets, outputs.dtype)
    else:
        shares = ops.one_hot(_classes(targets, outputs), classes, dtype=outputs.dtype)
    shares = shares * (1 - smoothing) + smoothing / classes
    return _rowwise(ops.categorical_crossentropy(shares, outputs, from_logits=logits))


def _accuracy(targets: Any, outputs: Any, logits: bool, by_sign: bool) -> Any:
    if by_sign or outputs.shape[-1] == 1:
        right = ops.equal(outputs > (0.0 if logits else 0.5), _like(targets, outputs) > 0.5)
    elif len(targets.shape) == len(outputs.shape) and targets.shape[-1] == outputs.shape[-1]:
        right = ops.equal(ops.argmax(outputs, -1), ops.argmax(targets, -1))
    else:
        right = ops.equal(ops.cast(ops.argmax(outputs, -1), "int32"), _classes(targets, outputs))
    return _rowwise(ops.cast(right, "float32"))


def _classes(targets: Any, outputs: Any) -> Any:
    """Class numbers, without an axis of length 1 at the end."""
    if len(targets.shape) == len(outputs.shape):
        targets = ops.squeeze(targets, -1)
    return ops.cast(targets, "int32")


def _like(targets: Any, outputs: Any) -> Any:
    return ops.cast(ops.reshape(targets, ops.shape(outputs)), outputs.dtype)


def _rowwise(values: Any) -> Any:
    """The mean over everything but the first axis."""
    return values if len(values.shape) == 1 else ops.mean(values, axis=list(range(1, len(values.shape))))


def _a_row(value: Any, outputs: Any) -> Any:
    """A mean over the batch, for each of its rows."""
    value = ops.convert_to_tensor(value)
    return _rowwise(value) if len(value.shape) else ops.broadcast_to(value, (ops.shape(outputs)[0],))
