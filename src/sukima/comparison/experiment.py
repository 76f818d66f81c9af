"""The runs of a comparison: every plan with every seed, through the engine, each kept when it is finished."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from statistics import fmean
from time import perf_counter
from typing import Any

import msgspec

from sukima.comparison.measures import Measures
from sukima.comparison.plan import ArmPlan
from sukima.comparison.runs import RunFile
from sukima.engines.local import LocalEngine
from sukima.engines.progress import Progress
from sukima.engines.seeds import derive_seed
from sukima.records.recipe import Recipe
from sukima.records.result import Arm, Cost, Trial
from sukima.records.task import Task

__all__ = ["Experiment"]


class Experiment:
    """Trains plans with paired seeds; `arms` gives what is finished, at any moment."""

    def __init__(
        self,
        plans: Mapping[str, ArmPlan],
        seeds: Sequence[int],
        progress: Progress,
        runs: RunFile,
        *,
        effects: bool = True,
    ) -> None:
        self._plans, self._seeds, self._progress, self._runs = dict(plans), list(seeds), progress, runs
        self._trials: dict[tuple[str, int], Trial] = {}
        self._teams: dict[int, _Team] = {}
        self._started = perf_counter()
        self._effects = effects
        self.reused = 0
        for name, plan in self._plans.items():
            for seed in self._seeds:
                if (trial := runs.get(self._name(plan, seed))) is not None:
                    self._trials[name, seed] = trial
                    self.reused += 1

    @property
    def trials(self) -> int:
        """Networks that are still to be trained."""
        return sum(self._plans[name].members for name, _ in self._waiting(self._seeds))

    def run(self) -> None:
        """Train what is not finished. Ctrl-C raises ``KeyboardInterrupt``; what was finished before stays.

        The seeds come in two parts, so that a comparison that is stopped half-way has whole pairs.
        """
        half = math.ceil(len(self._seeds) / 2)
        for seeds in (self._seeds[:half], self._seeds[half:]):
            waiting = self._waiting(seeds)
            for task in {id(plan.task): plan.task for plan in self._plans.values()}.values():
                mine = [(name, seed) for name, seed in waiting if self._plans[name].task is task]
                if mine:
                    self._train(task, mine)

    def _train(self, task: Task, work: Sequence[tuple[str, int]]) -> None:
        if id(task) not in self._teams:
            mine = [plan for plan in self._plans.values() if plan.task is task]
            self._teams[id(task)] = _Team(task, mine, self._seeds, self._progress, self._finished, self._effects)
        team = self._teams[id(task)]
        team.train([(self._plans[name], seed) for name, seed in work])
        for name, seed in work:
            if (name, seed) not in self._trials:
                self._keep(name, team.trial(self._plans[name], seed))

    def _finished(self, task: Task, trial: Trial) -> None:
        """Keep what was just trained for every arm whose run it is; an ensemble comes later, from all its members."""
        for name, plan in self._plans.items():
            mine = plan.task is task and plan.recipe == trial.recipe and plan.members == 1
            if mine and trial.seed in self._seeds and (name, trial.seed) not in self._trials:
                self._keep(name, trial)

    def _keep(self, name: str, trial: Trial) -> None:
        self._trials[name, trial.seed] = trial
        self._runs.add(self._name(self._plans[name], trial.seed), trial)

    def _name(self, plan: ArmPlan, seed: int) -> str:
        return self._runs.name(plan, seed, effects=self._effects)

    def _waiting(self, seeds: Sequence[int]) -> list[tuple[str, int]]:
        return [(name, seed) for name in self._plans for seed in seeds if (name, seed) not in self._trials]

    def arms(self) -> tuple[Arm, ...]:
        """The arms that share a finished seed with the first, with those seeds; empty if the first has none."""
        first = next(iter(self._plans))
        known = {name: [seed for seed in self._seeds if (name, seed) in self._trials] for name in self._plans}
        shared = [seed for seed in known[first] if all(seed in known[name] for name in self._plans)]
        found = []
        for name, plan in self._plans.items():
            seeds = shared or [seed for seed in known[name] if seed in known[first]]
            if seeds:
                trials = tuple(self._trials[name, seed] for seed in seeds)
                found.append(Arm(name, plan.recipe, trials, plan.members, plan.change))
        return tuple(found)

    def cost(self) -> Cost:
        """What was spent by this process."""
        costs = [team.engine.cost() for team in self._teams.values()]
        trials, epochs = sum(cost.trials for cost in costs), sum(cost.epochs for cost in costs)
        return Cost(seconds=perf_counter() - self._started, trials=trials, epochs=epochs)


class _Team:
    """The engine of one variant of the task, and the measures on what it trains."""

    def __init__(
        self,
        task: Task,
        plans: Sequence[ArmPlan],
        seeds: Sequence[int],
        progress: Progress,
        finished: Callable[[Task, Trial], None],
        effects: bool,
    ) -> None:
        self.task, self._finished, self._effects = task, finished, effects
        self._measures = Measures(task)
        ensembles = [plan for plan in plans if plan.members > 1]
        self._averaged = {_key(plan.recipe, m) for plan in ensembles for seed in seeds for m in _members(plan, seed)}
        self.engine = LocalEngine(task, progress, measure=self._measure)
        self.engine.on_trial = lambda trial, _test: self._finished(self.task, _without_outputs(trial))

    def train(self, work: Sequence[tuple[ArmPlan, int]]) -> None:
        """Train these together, as far as the engine can."""
        self.engine.prepare(
            [(plan.recipe, member) for plan, seed in work for member in _members(plan, seed)], test=True
        )

    def trial(self, plan: ArmPlan, seed: int) -> Trial:
        """The run of ``plan`` with ``seed``."""
        trials = self.engine.run(plan.recipe, _members(plan, seed), test=True)
        outputs: list[Any] = [trial.effects.get(_OUTPUTS) for trial in trials]
        first = _without_outputs(trials[0])
        if plan.members == 1 or None in outputs:  # a member that diverged has none
            return first
        scores, effects = self._measures.together(outputs)
        of_each = {name: fmean(t.effects[name] for t in trials) for name in trials[0].effects if name != _OUTPUTS}
        history = first.history
        seconds = [sum(t.history.seconds[k] for t in trials if k < t.history.epochs) for k in range(history.epochs)]
        return replace(
            first,
            history=msgspec.structs.replace(history, seconds=seconds),
            effects=of_each | effects if self._effects else {},
            train=scores["train"],
            validation=scores["validation"],
            test=scores.get("test"),
        )

    def _measure(self, model: Any, trial: Trial) -> dict[str, Any]:
        """The effects, and what the model gives where it is to be averaged with others; this may run in a worker."""
        effects: dict[str, Any] = self._measures.of(model) if self._effects else {}
        if _key(trial.recipe, trial.seed) in self._averaged:
            effects[_OUTPUTS] = self._measures.outputs(model)
        return effects


_OUTPUTS = "outputs"
"""Where a trial carries its model's outputs from where it was trained to where they are averaged."""


def _without_outputs(trial: Trial) -> Trial:
    return replace(trial, effects={name: value for name, value in trial.effects.items() if name != _OUTPUTS})


def _key(recipe: Recipe, seed: int) -> tuple[str, int]:
    return recipe.to_json(), seed


def _members(plan: ArmPlan, seed: int) -> list[int]:
    """The seeds of an ensemble's networks; the first is the seed itself."""
    return [seed, *(derive_seed(seed, "member", k) for k in range(1, plan.members))]
