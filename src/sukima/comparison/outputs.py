"""What trained networks give on a task's data, alone or averaged, and the scores of that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from sukima.engines.torch.data import Batches, open_data, split_validation
from sukima.engines.torch.losses import classes_second, make_loss
from sukima.engines.torch.metrics import make_metric
from sukima.records.result import Score
from sukima.records.task import Task
from sukima.torch.modes import evaluating

__all__ = ["Probabilities", "averaged", "data_of", "may_average", "outputs_on", "probabilities", "score"]

_AVERAGED = ("cross_entropy", "binary_cross_entropy", "mse", "mae", "huber")


def data_of(task: Task) -> dict[str, Batches]:
    """The task's data by name: train, validation and, where there are some, test."""
    train, validation = split_validation(task)
    parts = {"train": train, "validation": validation} | ({} if task.test is None else {"test": task.test})
    return {name: open_data(name, part, task) for name, part in parts.items()}


def outputs_on(model: nn.Module, data: Batches, noise: float = 0.0) -> tuple[Tensor, Tensor]:
    """Outputs and targets of every row, in inference mode; with ``noise`` of that deviation added to the inputs.

    The noise is the same at every call, so that all models see the same disturbed rows.
    """
    generator = torch.Generator().manual_seed(0)
    found: list[tuple[Tensor, Tensor]] = []
    with evaluating(model), torch.no_grad():
        for inputs, targets in data.in_order():
            if noise:
                drawn = torch.randn(inputs.shape, generator=generator, dtype=inputs.dtype)
                inputs = inputs + noise * drawn.to(inputs.device)
            found.append((model(inputs), targets))
    outputs, targets = zip(*found, strict=True)
    return torch.cat(outputs), torch.cat(targets)


def may_average(task: Task) -> bool:
    """Whether it is known what the mean of several networks' predictions is: losses given by name say."""
    return task.loss in _AVERAGED


def averaged(task: Task, outputs: Sequence[Tensor]) -> Tensor:
    """The prediction of several networks (or passes) together, in the form that the loss takes.

    Probabilities are averaged, not logits, and given as logits again; for regression the outputs are.
    """
    together = torch.stack(list(outputs)).double()
    if task.loss == "cross_entropy":
        mean = together.softmax(2).mean(0).clamp_min(1e-38).log()
    elif task.loss == "binary_cross_entropy":
        mean = torch.logit(together.sigmoid().mean(0), eps=1e-15)
    else:
        mean = together.mean(0)
    return mean.to(outputs[0].dtype)


def score(task: Task, outputs: Tensor, targets: Tensor) -> Score:
    """Loss and metric of outputs that are there."""
    metric = make_metric(task)
    if metric is not None:
        metric.add(outputs, targets, len(targets))
    return Score(float(make_loss(task.loss)(outputs, targets)), None if metric is None else metric.value())


@dataclass(frozen=True)
class Probabilities:
    """Probability of each class (rows, classes), and the class of each row."""

    values: Tensor
    classes: Tensor

    def brier(self) -> float:
        """Mean squared distance between probabilities and truth, summed over classes (Brier 1950)."""
        truth = functional.one_hot(self.classes, self.values.shape[1])
        return float((self.values - truth).square().sum(1).mean())

    def calibration(self, bins: int = 15) -> float:
        """Expected calibration error: how far confidence and accuracy are apart (Guo et al. 2017)."""
        confidence, predicted = self.values.max(1)
        right = (predicted == self.classes).numpy().astype(float)
        sure = confidence.numpy()
        which = np.minimum((sure * bins).astype(int), bins - 1)
        apart = np.bincount(which, weights=right - sure, minlength=bins)
        return float(np.abs(apart).sum() / len(sure))


def probabilities(task: Task, outputs: Tensor, targets: Tensor) -> Probabilities | None:
    """Class probabilities, for a task with one class a row (or position); ``None`` for others."""
    if task.loss != "cross_entropy":
        return None
    outputs = classes_second(outputs, targets)
    values = outputs.double().softmax(1).movedim(1, -1).flatten(0, -2).cpu()
    if targets.shape == outputs.shape:
        targets = targets.argmax(1)
    return Probabilities(values, targets.flatten().long().cpu())
