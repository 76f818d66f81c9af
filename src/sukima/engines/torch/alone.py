"""A run by itself, an epoch at a time."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

from torch import nn

from sukima.engines.progress import Progress
from sukima.engines.seeds import derive_seed
from sukima.engines.torch.evaluate import evaluate
from sukima.engines.torch.metrics import make_metric
from sukima.engines.torch.optimizers import OwnOptimizer, make_optimizer
from sukima.engines.torch.regularizing import Regularizing
from sukima.engines.torch.run import Run
from sukima.engines.torch.seeding import GeneratorState, generators_restored, seed_everything

__all__ = ["Alone"]


class Alone:
    """One run; its generators are its own, so that runs may take turns."""

    def __init__(self, run: Run, progress: Progress) -> None:
        self.run, self._progress = run, progress
        self._optimizer = make_optimizer(run.task, run.recipe, run.trainable)
        run.applied.attach(self._optimizer)
        self._regularizing = Regularizing(run, own=isinstance(self._optimizer, OwnOptimizer))
        run.model.train()
        self._epoch = 0
        self._generators: GeneratorState | None = None

    @property
    def active(self) -> list[Run]:
        """The run, until it has ended."""
        done = self._epoch == self.run.task.epochs or self.run.history.status != "finished"
        return [] if done else [self.run]

    def epoch(self) -> None:
        """Train for an epoch and measure."""
        with generators_restored():
            if self._generators is None:
                seed_everything(derive_seed(self.run.seed, "masks"))
            else:
                self._generators.restore()
            self._train_and_measure()
            self._generators = GeneratorState()

    def _train_and_measure(self) -> None:
        run, task = self.run, self.run.task
        started = time.perf_counter()
        run.applied.progress(self._epoch / task.epochs)
        if (wrong := self._one_epoch()) is not None:
            run.diverged(wrong)
            return
        train = evaluate(run.model, run.data.measured, run.plain_loss, make_metric(task))
        validation = evaluate(run.model, run.validation, run.plain_loss, make_metric(task))
        run.record(train, validation, time.perf_counter() - started, run.model.state_dict)
        if run.history.epochs > self._epoch:
            self._progress.epoch(run.history, task.epochs)
        self._epoch += 1

    def _one_epoch(self) -> float | None:
        """One pass over the training data; the loss where it was not finite, which ends the run."""
        run, optimizer, regularizing = self.run, self._optimizer, self._regularizing
        if isinstance(optimizer, OwnOptimizer):
            parameters = dict(run.model.named_parameters())
            optimizer.penalise({parameters[name]: each for name, each in regularizing.strengths().items()})
        for inputs, targets in run.train.shuffled(derive_seed(run.seed, "order", self._epoch)):
            loss = run.training_loss(inputs, targets)
            if regularizing.in_loss:
                loss = loss + run.applied.penalty()
            if not math.isfinite(value := float(loss.detach())):
                return value
            optimizer.zero_grad()
            loss.backward()
            if regularizing.by_gradient:
                run.applied.penalty().backward()
            if run.task.clip_norm is not None and not isinstance(optimizer, OwnOptimizer):
                nn.utils.clip_grad_norm_(run.trainable, run.task.clip_norm)
            optimizer.step()
        return None

    def select(self, kept: Sequence[int]) -> None:
        """Nothing to be done: a run that has ended is not trained any more."""
