"""Measuring a model in inference mode."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from sukima.engines.torch.data import Batches
from sukima.engines.torch.losses import Loss
from sukima.engines.torch.metrics import Metric
from sukima.records.result import Score
from sukima.torch.modes import evaluating

__all__ = ["evaluate", "score"]


def evaluate(model: nn.Module, data: Batches, loss: Loss, metric: Metric | None) -> Score:
    """Mean loss and metric over the rows of ``data``, with dropout off and batch norm on its running statistics.

    The model's mode, module by module, is left as it was.
    """
    # Not inference_mode: what a model caches in its first pass is used in training too.
    with evaluating(model), torch.no_grad():
        return score(model, data, loss, metric)


def score(outputs_of: Callable[[Any], Any], data: Batches, loss: Loss, metric: Metric | None) -> Score:
    """As `evaluate`, of a function from inputs to outputs."""
    total, rows = 0.0, 0
    for inputs, targets in data.in_order():
        outputs = outputs_of(inputs)
        count = len(targets)
        total += float(loss(outputs, targets)) * count
        rows += count
        if metric is not None:
            metric.add(outputs, targets, count)
    return Score(total / rows if rows else math.nan, None if metric is None else metric.value())
