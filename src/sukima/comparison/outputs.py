"""What outputs of trained networks mean: averages of several, and probabilities of classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sukima.engines.probe import Array, Probe
from sukima.records.task import Task

__all__ = ["Probabilities", "averaged", "may_average", "probabilities"]

_AVERAGED = ("cross_entropy", "binary_cross_entropy", "mse", "mae", "huber")


def may_average(task: Task) -> bool:
    """Whether it is known what the mean of several networks' predictions is: losses given by name say."""
    return task.loss in _AVERAGED


def averaged(task: Task, probe: Probe, outputs: Sequence[Array], targets: Array) -> Array:
    """The prediction of several networks (or passes) together, in the form that the loss takes.

    Probabilities are averaged, not logits, and given as logits again where the networks give logits; for regression
    the outputs are averaged.
    """
    together = np.stack([probe.arranged(one, targets) for one in outputs]).astype(np.float64)
    if task.loss == "cross_entropy" and probe.logits:
        axis = probe.class_axis + 1 if probe.class_axis >= 0 else probe.class_axis
        mean = np.log(np.maximum(_softmax(together, axis).mean(0), 1e-38))
    elif task.loss == "binary_cross_entropy" and probe.logits:
        share = np.clip((1 / (1 + np.exp(-together))).mean(0), 1e-15, 1 - 1e-15)
        mean = np.log(share) - np.log1p(-share)
    else:
        mean = together.mean(0)
    result: Array = mean.astype(outputs[0].dtype)
    return result


def _softmax(logits: Array, axis: int) -> Array:
    raised = np.exp(logits - logits.max(axis, keepdims=True))
    result: Array = raised / raised.sum(axis, keepdims=True)
    return result


@dataclass(frozen=True)
class Probabilities:
    """Probability of each class (rows, classes), and the class of each row."""

    values: Array
    classes: Array

    def brier(self) -> float:
        """Mean squared distance between probabilities and truth, summed over classes (Brier 1950)."""
        truth = np.eye(self.values.shape[1])[self.classes]
        return float(np.square(self.values - truth).sum(1).mean())

    def calibration(self, bins: int = 15) -> float:
        """Expected calibration error: how far confidence and accuracy are apart (Guo et al. 2017)."""
        sure, predicted = self.values.max(1), self.values.argmax(1)
        right = (predicted == self.classes).astype(float)
        which = np.minimum((sure * bins).astype(int), bins - 1)
        apart = np.bincount(which, weights=right - sure, minlength=bins)
        return float(np.abs(apart).sum() / len(sure))


def probabilities(task: Task, probe: Probe, outputs: Array, targets: Array) -> Probabilities | None:
    """Class probabilities, for a task with one class a row (or position); ``None`` for others."""
    if task.loss != "cross_entropy":
        return None
    values = np.moveaxis(probe.arranged(outputs, targets), probe.class_axis, -1).astype(np.float64)
    if targets.size == values.size:
        targets = np.moveaxis(targets, probe.class_axis, -1).argmax(-1)
    values = values.reshape(-1, values.shape[-1])
    return Probabilities(_softmax(values, 1) if probe.logits else values, targets.reshape(-1).astype(np.int64))
