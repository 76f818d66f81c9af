"""The local engine: trials in this process, stacked where the model allows it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace

from sukima.engines.progress import Progress, default_progress
from sukima.engines.stacked.fit import fit_stack, may_stack
from sukima.engines.stacked.layers import UnstackableError
from sukima.engines.torch.fit import Measure, fit
from sukima.records.recipe import Recipe
from sukima.records.result import Cost, Trial
from sukima.records.task import Task

__all__ = ["LocalEngine"]

_MOST = 24
"""Members of a stack; more save little, and Ctrl-C loses what is in the stack at work."""

Candidate = tuple[Recipe, int]


class LocalEngine:
    """Runs trials and remembers them: the same recipe and seed are trained once.

    Several are trained as one model where that is possible, with the same results as one after another.

    Ctrl-C raises ``KeyboardInterrupt``; trials that were at work are discarded, those before stay in `trials`.
    """

    def __init__(self, task: Task, progress: Progress | None = None, measure: Measure | None = None) -> None:
        self.task, self.trials = task, dict[tuple[str, int, bool], Trial]()
        self.progress = progress or default_progress()
        self.why_not_stacked = ""
        self._measure = measure
        self._alone: list[Recipe] = []
        self._started = time.perf_counter()

    def stage(self, name: str, trials: int) -> None:
        """A part of the work begins that takes about ``trials`` trials."""
        self.progress.stage(name, trials)

    def run(self, recipe: Recipe, seeds: Sequence[int], *, test: bool = False) -> tuple[Trial, ...]:
        """The trials of ``recipe``, one a seed, in their order; with ``test`` they measure the test data too."""
        self.prepare([(recipe, seed) for seed in seeds], test=test)
        return tuple(self._one(recipe, seed, test) for seed in seeds)

    def prepare(self, candidates: Iterable[Candidate], *, test: bool = False) -> None:
        """Train as stacks those of the candidates that can be, and are not known yet."""
        waiting = {self._key(*c, test): c for c in candidates if self._key(*c, test) not in self.trials}
        while len(waiting) > 1:
            first = next(iter(waiting.values()))[0]
            keys = [key for key, (recipe, _) in waiting.items() if may_stack(first, recipe)][:_MOST]
            stack = [waiting.pop(key) for key in keys]
            if len(stack) == 1 or any(may_stack(first, recipe) for recipe in self._alone):
                continue
            try:
                trials = fit_stack(self.task, stack, test=test, progress=self.progress, measure=self._measure)
            except UnstackableError as reason:
                self.why_not_stacked = str(reason)
                self._alone.append(first)  # others of its kind would fail as well, recipes of another kind may not
                continue
            for key, trial in zip(keys, trials, strict=True):
                self._remember(key, trial)

    def _one(self, recipe: Recipe, seed: int, test: bool) -> Trial:
        key = self._key(recipe, seed, test)
        if key not in self.trials:
            fitted = fit(self.task, recipe, seed, test=test, progress=self.progress)
            if (trial := fitted.trial).history.status == "interrupted":
                raise KeyboardInterrupt
            self._remember(key, replace(trial, effects=self._measure(fitted)) if self._measure else trial)
        return self.trials[key]

    def _remember(self, key: tuple[str, int, bool], trial: Trial) -> None:
        self.trials[key] = trial
        self.progress.trial(trial)

    @staticmethod
    def _key(recipe: Recipe, seed: int, test: bool) -> tuple[str, int, bool]:
        return recipe.to_json(), seed, test

    def cost(self) -> Cost:
        """What was spent so far."""
        epochs = sum(trial.history.epochs for trial in self.trials.values())
        return Cost(seconds=time.perf_counter() - self._started, trials=len(self.trials), epochs=epochs)
