"""One training run, with its held-out losses row by row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from configuration import Configuration
from datasets import Rows, load
from networks import network
from torch import Tensor
from torch.nn import functional


@dataclass
class Run:
    """Curves by epoch; ``held_out`` has one column a row. They end where a loss stopped being finite."""

    start: float
    """Training loss of the untrained network."""
    train_loss: list[float]
    running_loss: list[float]
    validation_loss: list[float]
    train_metric: list[float]
    validation_metric: list[float]
    held_out: np.ndarray


def split(c: Configuration, rows: Rows) -> tuple[tuple[Tensor, Tensor], ...]:
    """Training, validation and held-out rows; validation and training change with the configuration."""
    torch.manual_seed(10**6 + c.number)
    targets = rows.targets.clone()
    if c.wrong_labels:
        # The same wrong labels for every configuration of this share, so that one reference serves all.
        rng = torch.Generator().manual_seed(7)
        wrong = torch.rand(len(targets), generator=rng) < c.wrong_labels
        targets[wrong] = torch.randint(rows.classes, (int(wrong.sum()),), generator=rng)
    others = torch.randperm(len(targets) - rows.held_out) + rows.held_out
    inside = others[: c.rows], others[c.rows : c.rows + c.validation_rows], torch.arange(rows.held_out)
    return tuple((rows.inputs[i], targets[i]) for i in inside)


def losses(outputs: Tensor, targets: Tensor, classes: int) -> Tensor:
    """The loss of each row."""
    if classes:
        return functional.cross_entropy(outputs, targets, reduction="none")
    return (outputs[:, 0] - targets).square()


def train(c: Configuration, epochs: int) -> Run:
    """Train for that many epochs, or until a loss is not finite."""
    rows = load(c.data)
    (x, y), (xv, yv), (xh, yh) = split(c, rows)
    model = network(c, rows)
    everything, answers = torch.cat([x[:400], xv, xh]), torch.cat([y[:400], yv, yh])
    shown = min(400, len(x))
    optimizer = (
        torch.optim.AdamW(model.parameters(), c.learning_rate, weight_decay=c.weight_decay, fused=True)
        if c.optimizer == "adam"
        else torch.optim.SGD(model.parameters(), c.learning_rate, 0.9, weight_decay=c.weight_decay / 10, fused=True)
    )

    def measure() -> tuple[Tensor, Tensor]:
        model.eval()
        with torch.inference_mode():
            outputs = model(everything)
            each = losses(outputs, answers, rows.classes)
            right = (outputs.argmax(1) == answers).float() if rows.classes else each
        return each, right

    run = Run(float(measure()[0][:shown].mean()), [], [], [], [], [], np.empty(0))
    held_out = []
    for epoch in range(epochs):
        if epoch == int(c.drop_at * epochs):
            for group in optimizer.param_groups:
                group["lr"] /= 10
        model.train()
        total = torch.zeros(())
        for batch in torch.randperm(len(x)).split(c.batch):
            optimizer.zero_grad()
            each = losses(model(x[batch]), y[batch], rows.classes)
            each.mean().backward()
            optimizer.step()
            total += each.detach().sum()
        each, right = measure()
        run.running_loss.append(float(total) / len(x))
        run.train_loss.append(float(each[:shown].mean()))
        run.validation_loss.append(float(each[shown : shown + len(xv)].mean()))
        run.train_metric.append(float(right[:shown].mean()))
        run.validation_metric.append(float(right[shown : shown + len(xv)].mean()))
        held_out.append(each[shown + len(xv) :].numpy())
        if not np.isfinite([run.running_loss[-1], run.train_loss[-1], run.validation_loss[-1]]).all():
            break
    run.held_out = np.stack(held_out)
    return run
