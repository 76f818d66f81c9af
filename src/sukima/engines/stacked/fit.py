"""Fit many: runs of one task trained as one model, each with the result that it would have alone."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from sukima.engines.progress import Progress
from sukima.engines.seeds import derive_seed
from sukima.engines.stacked.layers import UnstackableError
from sukima.engines.stacked.members import Members
from sukima.engines.stacked.network import StackedNetwork
from sukima.engines.stacked.parts import Parts
from sukima.engines.torch.data import ArrayBatches, TaskData
from sukima.engines.torch.metrics import make_metric
from sukima.engines.torch.optimizers import make_optimizer
from sukima.engines.torch.run import Run
from sukima.engines.torch.seeding import generators_restored
from sukima.engines.torch.threads import suitable_threads
from sukima.records.penalty import L1, L2, ElasticNet
from sukima.records.recipe import Recipe
from sukima.records.result import Score, Trial
from sukima.records.schedule import Constant
from sukima.records.task import Task
from sukima.torch.penalties import penalty

__all__ = ["Stack", "fit_stack", "may_stack"]


def may_stack(first: Recipe, other: Recipe) -> bool:
    """Whether two recipes may be members of one stack: they differ in rates, schedules and early stopping at most."""

    def rest(recipe: Recipe) -> tuple[object, ...]:
        return recipe.penalties, recipe.constraints, recipe.weight_decay, recipe.label_smoothing, recipe.options

    return rest(first) == rest(other) and _acts_through_the_loss(first)


def fit_stack(task: Task, candidates: Sequence[tuple[Recipe, int]], *, test: bool, progress: Progress) -> list[Trial]:
    """The trials of these recipes with these seeds, in their order, trained as one `Stack` to their ends.

    Raises:
        UnstackableError: see `Stack`.
    """
    with generators_restored():
        data = TaskData(task)
        runs = [Run(task, recipe, seed, data) for recipe, seed in candidates]
        with suitable_threads(runs[0].model, runs[0].example, task.batch_size):
            stack = Stack(runs, progress)
            while stack.active:
                stack.epoch()
            return [run.finish(test=test) for run in runs]


def _acts_through_the_loss(recipe: Recipe) -> bool:
    """Whether all that it does to weights is a term of the loss that adds up over members and stays as it is."""
    summed = all(
        isinstance(p, L1 | L2 | ElasticNet) and p.form == "loss" and p.schedule == Constant()
        for p in recipe.penalties.values()
    )
    return summed and not recipe.constraints


class Stack:
    """Runs of one task trained as one model, an epoch at a time.

    Every history is the one that the run has alone: initial weights, order of the data and masks come from its own
    seed, and the layers are computed member by member to the bit. A member that stops early or diverges leaves the
    stack.

    Raises:
        UnstackableError: the model has a ``forward`` of its own, layers that share weights, or dropout of a kind that
            a stack does not know; or the data or the optimizer are not of the kinds that it knows.
    """

    def __init__(self, runs: Sequence[Run], progress: Progress) -> None:
        self.task, self.progress = runs[0].task, progress
        self._check(runs)
        self.members = Members(runs)
        self.penalised = runs[0].applied.penalised()
        self.network = StackedNetwork(self.members)
        self.parts = Parts(self.network, len(runs))
        self.optimizer = make_optimizer(self.task, runs[0].recipe, self.parts.parameters())
        self._epoch = 0

    def _check(self, runs: Sequence[Run]) -> None:
        if not isinstance(self.task.optimizer, str):
            raise UnstackableError("the optimizer is not given by name")
        if not all(_acts_through_the_loss(run.recipe) for run in runs):
            raise UnstackableError("the recipe acts on single weights after each step, on activities or on a schedule")
        train, validation = runs[0].train, runs[0].validation
        if not isinstance(train, ArrayBatches) or not isinstance(validation, ArrayBatches):
            raise UnstackableError("the data are not arrays")
        if not train.inputs.is_floating_point():
            raise UnstackableError("the inputs are not floating-point numbers")
        if any(len(run.trainable) != len(list(run.model.parameters())) for run in runs):
            raise UnstackableError("some parameters are frozen")
        self.train_data, self.validation_data = train, validation

    @property
    def active(self) -> list[Run]:
        """The runs that go on."""
        return self.members.runs if self._epoch < self.task.epochs else []

    def epoch(self) -> None:
        """Train every member for an epoch and measure."""
        started = time.perf_counter()
        self.members.progress(self._epoch / self.task.epochs)
        self.network.train()
        self._one_epoch(self._epoch)
        if self.active:
            self._measure(started)
        self._epoch += 1

    def _one_epoch(self, epoch: int) -> None:
        data = self.train_data
        orders = torch.stack([data.order(derive_seed(run.seed, "order", epoch)) for run in self.members.runs])
        for start, stop in data.spans():
            chosen = orders[:, start:stop]
            losses = self._losses(self.network(data.inputs[chosen]), data.targets[chosen])
            kept = self._finite(losses)
            if not kept:
                self.select(kept)
                return
            total = losses[kept].sum() if len(kept) < len(losses) else losses.sum()
            self.network.zero_grad()
            (total + self._penalty() if self.penalised else total).backward()
            self.parts.take_gradients()
            self.optimizer.step()
            if len(kept) < len(losses):
                self.select(kept)
                orders = orders[kept]

    def _finite(self, losses: Tensor) -> list[int]:
        """The members whose loss is finite; the others have diverged."""
        values = losses.detach().tolist()
        for run, value in zip(self.members.runs, values, strict=True):
            if not math.isfinite(value):
                run.diverged(value)
        return [index for index, value in enumerate(values) if math.isfinite(value)]

    def _losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The loss of each member."""
        run = self.members.runs[0]
        if self.task.loss == "cross_entropy" and outputs.ndim == 3 and not targets.is_floating_point():
            smoothing = run.recipe.label_smoothing
            if targets.ndim == 2 and smoothing == 0:
                each = functional.cross_entropy(outputs.flatten(0, 1), targets.flatten().long(), reduction="none")
                return each.view(outputs.shape[:2]).mean(1)
        return torch.stack([run.loss(o, t) for o, t in zip(outputs.unbind(0), targets.unbind(0), strict=True)])

    def _penalty(self) -> Tensor:
        total = torch.zeros(())
        for names, which in self.penalised:
            total = total + penalty([weight for name in names for weight in self.network.weights(name)], which)
        return total

    def _measure(self, started: float) -> None:
        """Add an epoch to every member's history; those that end with it leave."""
        self.network.eval()
        train, validation = self._scores(self.train_data), self._scores(self.validation_data)
        seconds = (time.perf_counter() - started) / len(self.members.active)
        kept = []
        for index, run in enumerate(self.members.runs):
            epochs = run.history.epochs
            goes_on = run.record(train[index], validation[index], seconds, partial(self.network.member, index))
            if run.history.epochs > epochs:
                self.progress.epoch(run.history, self.task.epochs)
            if goes_on:
                kept.append(index)
        if len(kept) < len(self.members.active):
            self.select(kept)

    def _scores(self, data: ArrayBatches) -> list[Score]:
        """Of each member, in inference mode, batch by batch and added up as `evaluate` does."""
        runs = self.members.runs
        totals, rows = [0.0] * len(runs), 0
        metrics = [make_metric(self.task) for _ in runs]
        with torch.inference_mode():
            for inputs, targets in data.in_order():
                outputs = self.network(inputs.expand(len(runs), *inputs.shape))
                rows += len(targets)
                for index, output in enumerate(outputs.unbind(0)):
                    totals[index] += float(runs[index].plain_loss(output, targets)) * len(targets)
                    if (metric := metrics[index]) is not None:
                        metric.add(output, targets, len(targets))
        values = [None if metric is None else metric.value() for metric in metrics]
        return [Score(total / rows, value) for total, value in zip(totals, values, strict=True)]

    def select(self, kept: list[int]) -> None:
        """Go on with these members, and with their part of the optimizer's state."""
        self.members.select(kept)
        if not kept:
            return
        self.network.select(kept)
        self.parts.select(kept)
        staying = self.parts.parameters()
        self.optimizer.param_groups[0]["params"] = staying
        for gone in set(self.optimizer.state) - set(staying):
            del self.optimizer.state[gone]
