"""Training runs, with their held-out losses row by row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from configuration import Configuration
from datasets import Rows, load
from networks import Stack, network
from torch import Tensor, nn
from torch.nn import functional

SHOWN = 400
"""Training rows that the training curve is measured on."""


@dataclass
class Run:
    """Curves by epoch; ``held_out`` has one column a row. They end where a loss stopped being finite."""

    start: float
    """Training loss of the untrained network."""
    train_loss: np.ndarray
    running_loss: np.ndarray
    running_metric: np.ndarray
    validation_loss: np.ndarray
    train_metric: np.ndarray
    validation_metric: np.ndarray
    held_out: np.ndarray


def split(c: Configuration, rows: Rows) -> tuple[tuple[Tensor, Tensor], ...]:
    """Training, validation and held-out rows; validation and training change with the configuration."""
    targets = rows.targets.clone()
    if c.wrong_labels:
        # The same wrong labels for every configuration of this share, so that one reference serves all.
        rng = torch.Generator().manual_seed(7)
        wrong = torch.rand(len(targets), generator=rng) < c.wrong_labels
        targets[wrong] = torch.randint(rows.classes, (int(wrong.sum()),), generator=rng)
    mine = torch.Generator().manual_seed(10**6 + c.number)
    others = torch.randperm(len(targets) - rows.held_out, generator=mine) + rows.held_out
    inside = others[: c.rows], others[c.rows : c.rows + c.validation_rows], torch.arange(rows.held_out)
    return tuple((rows.inputs[i], targets[i]) for i in inside)


def losses(outputs: Tensor, targets: Tensor, classes: int) -> Tensor:
    """The loss of each row of each member."""
    if classes:
        return functional.cross_entropy(outputs.flatten(0, 1), targets.flatten(), reduction="none").view(targets.shape)
    return (outputs[..., 0] - targets).square()


def train(members: list[Configuration], epochs: int) -> list[Run]:
    """Train networks of one kind side by side for that many epochs."""
    c = members[0]
    rows = load(c.data)
    torch.manual_seed(10**6 + c.number)
    model: nn.Module = Stack(members, rows) if c.architecture == "mlp" else Alone(network(c, rows))
    parts = [split(member, rows) for member in members]
    x, y = (torch.stack([part[0][i] for part in parts]) for i in (0, 1))
    shown, checked = min(SHOWN, x.shape[1]), parts[0][1][0].shape[0]
    everything = torch.stack([torch.cat([part[0][0][:shown], part[1][0], part[2][0]]) for part in parts])
    answers = torch.stack([torch.cat([part[0][1][:shown], part[1][1], part[2][1]]) for part in parts])
    optimizer = Optimizer(model, members)

    def measure() -> tuple[Tensor, Tensor]:
        model.eval()
        with torch.inference_mode():
            outputs = model(everything)
            each = losses(outputs, answers, rows.classes)
            return each, (outputs.argmax(-1) == answers).float() if rows.classes else each

    start = measure()[0][:, :shown].mean(1)
    running, running_rights, curves, rights = [], [], [], []
    for epoch in range(epochs):
        optimizer.begin(epoch / epochs)
        model.train()
        total, hits = torch.zeros(len(members)), torch.zeros(len(members))
        order = torch.stack([torch.randperm(x.shape[1]) for _ in members])
        for batch in order.split(c.batch, dim=1):
            member = torch.arange(len(members))[:, None]
            outputs, targets = model(x[member, batch]), y[member, batch]
            each = losses(outputs, targets, rows.classes)
            each.mean(1).sum().backward()
            optimizer.step()
            total += each.detach().sum(1)
            hits += (outputs.argmax(-1) == targets).sum(1) if rows.classes else 0
        each, right = measure()
        running.append((total / x.shape[1]).numpy())
        running_rights.append((hits / x.shape[1]).numpy())
        curves.append(each.numpy())
        rights.append(right.numpy())
    means = np.stack(running), np.stack(running_rights)
    return [
        _run(i, float(start[i]), means, np.stack(curves), np.stack(rights), shown, checked) for i in range(len(members))
    ]


def _run(
    i: int,
    start: float,
    running: tuple[np.ndarray, np.ndarray],
    each: np.ndarray,
    right: np.ndarray,
    shown: int,
    checked: int,
) -> Run:
    """The curves of member ``i``, up to and with the first epoch that is not finite."""
    end = shown + checked
    measured = [running[0][:, i], each[:, i, :shown].mean(1), each[:, i, shown:end].mean(1)]
    bad = ~np.isfinite(measured).all(0)
    count = int(bad.argmax()) + 1 if bad.any() else len(bad)
    accuracy = right[:count, i, :shown].mean(1), right[:count, i, shown:end].mean(1)
    train_running, train_loss, validation = (curve[:count] for curve in measured)
    hits = running[1][:count, i]
    return Run(start, train_loss, train_running, hits, validation, *accuracy, each[:count, i, end:])


class Alone(nn.Module):
    """One network in the form of a stack of one."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        """Outputs, 1 × row × class."""
        out: Tensor = self.inner(x[0])[None]
        return out


class Optimizer:
    """AdamW, or SGD with momentum 0.9, with each member's own learning rate and weight decay."""

    def __init__(self, model: nn.Module, members: list[Configuration]) -> None:
        self.weights = list(model.parameters())
        self.members = members
        self.adam = members[0].optimizer == "adam"
        self.first = [torch.zeros_like(w) for w in self.weights]
        self.second = [torch.zeros_like(w) for w in self.weights]
        self.steps = 0

    def begin(self, progress: float) -> None:
        """Set the learning rates for an epoch."""
        rates = [c.learning_rate * (0.1 if progress >= c.drop_at else 1) for c in self.members]
        share = 1.0 if self.adam else 0.1
        self.rates = [self._wide(torch.tensor(rates), w) for w in self.weights]
        kept = torch.tensor([1 - r * c.weight_decay * share for r, c in zip(rates, self.members, strict=True)])
        self.kept = [self._wide(kept, w) for w in self.weights]

    def _wide(self, values: Tensor, weight: Tensor) -> Tensor | float:
        return values.view(-1, *[1] * (weight.dim() - 1)) if len(self.members) > 1 else float(values[0])

    @torch.no_grad()
    def step(self) -> None:
        """One step from the gradients, which are cleared."""
        self.steps += 1
        unbias = (1 - 0.999**self.steps) ** 0.5 / (1 - 0.9**self.steps)
        for weight, first, second, rate, kept in zip(
            self.weights, self.first, self.second, self.rates, self.kept, strict=True
        ):
            gradient = weight.grad
            weight.grad = None
            assert gradient is not None
            weight.mul_(kept)
            if self.adam:
                first.lerp_(gradient, 0.1)
                second.mul_(0.999).addcmul_(gradient, gradient, value=0.001)
                weight.sub_(first / (second.sqrt() + 1e-8 / unbias) * unbias * rate)
            else:
                first.mul_(0.9).add_(gradient)
                weight.sub_(first * rate)
