"""Losses by name, and the form that targets must have for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from sukima.base.checks import check_choice
from sukima.base.errors import InputError
from sukima.engines.torch import cross_entropy

__all__ = ["LOSSES", "Loss", "check_classes", "classes_second", "make_loss", "match_targets"]

Loss = Callable[[Any, Any], Tensor]
"""From outputs and targets of a batch to the mean loss over it."""

_REGRESSION: dict[str, Loss] = {
    "mse": functional.mse_loss,
    "mae": functional.l1_loss,
    "huber": functional.huber_loss,
    "binary_cross_entropy": functional.binary_cross_entropy_with_logits,
}

LOSSES = ("cross_entropy", *_REGRESSION)
"""The names."""


def make_loss(loss: str | Loss, *, label_smoothing: float = 0.0) -> Loss:
    """The loss of that name, on logits for the classification losses; a callable is taken as it is."""
    if label_smoothing and loss != "cross_entropy":
        raise InputError("label_smoothing must be 0 unless loss is 'cross_entropy', got {value}", value=label_smoothing)
    if callable(loss):
        return loss
    check_choice("loss", loss, LOSSES)
    if loss == "cross_entropy":
        return lambda outputs, targets: _cross_entropy(outputs, targets, label_smoothing)
    function = _REGRESSION[loss]
    return lambda outputs, targets: function(outputs, match_targets(outputs, targets))


def match_targets(outputs: Tensor, targets: Tensor) -> Tensor:
    """Targets as floating-point numbers in the shape of the outputs; broadcasting would silently be wrong."""
    if outputs.shape != targets.shape:
        if outputs.squeeze().shape != targets.squeeze().shape:
            raise InputError(
                "targets must have one number for each output {outputs}, got shape {targets}",
                outputs=tuple(outputs.shape),
                targets=tuple(targets.shape),
            )
        targets = targets.reshape(outputs.shape)
    return targets.to(outputs.dtype)


def classes_second(outputs: Tensor, targets: Tensor) -> Tensor:
    """Outputs with the class axis second, as torch wants it; language models have it last."""
    by_class = targets.is_floating_point()
    if (
        outputs.ndim > 2
        and not by_class
        and outputs.shape[:-1] == targets.shape != outputs.shape[:1] + outputs.shape[2:]
    ):
        return outputs.movedim(-1, 1)
    return outputs


def _cross_entropy(outputs: Tensor, targets: Tensor, label_smoothing: float) -> Tensor:
    if outputs.ndim < 2 or outputs.shape[1] < 2:
        raise InputError(
            "loss 'cross_entropy' needs outputs of shape (batch, classes) with at least 2 classes, got shape {shape}",
            shape=tuple(outputs.shape),
        )
    if not targets.is_floating_point() and targets.shape == outputs.shape:
        targets = targets.to(outputs.dtype)  # one-hot rows of whole numbers
    elif targets.is_floating_point() and targets.shape != outputs.shape:
        raise InputError(
            "targets must be class numbers or one-hot rows of shape {outputs}, got {dtype} of shape {targets}",
            outputs=tuple(outputs.shape),
            dtype=targets.dtype,
            targets=tuple(targets.shape),
        )
    outputs = classes_second(outputs, targets)
    if not targets.is_floating_point():
        targets = targets.long()
        if targets.ndim == outputs.ndim and targets.shape[1] == 1:
            targets = targets.squeeze(1)
        check_classes(targets, outputs.shape[1])
        if outputs.ndim == 2 and cross_entropy.compiles(outputs, targets):
            return cross_entropy.cross_entropy(outputs, targets, label_smoothing)
    return functional.cross_entropy(outputs, targets, label_smoothing=label_smoothing)


def check_classes(targets: Tensor, classes: int, name: str = "targets") -> None:
    """Raise unless every target is a class; torch's own error stops the process on some devices."""
    low, high = (int(v) for v in torch.aminmax(targets))
    if low < 0 or high >= classes:
        raise InputError(
            "{name} must be classes in [0, {last}] (the model has {classes} outputs), got {wrong}",
            name=name,
            last=classes - 1,
            classes=classes,
            wrong=low if low < 0 else high,
        )
