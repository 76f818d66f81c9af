"""The runs of a comparison: every plan with every seed, through the engine, each kept when it is finished."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from time import perf_counter

import msgspec
from torch import nn

from sukima.comparison.measures import Measures
from sukima.comparison.plan import ArmPlan
from sukima.comparison.runs import RunFile
from sukima.engines.local import LocalEngine
from sukima.engines.progress import Progress
from sukima.engines.seeds import derive_seed
from sukima.engines.torch.fit import Fitted
from sukima.records.result import Arm, Cost, Score, Trial
from sukima.records.task import Task

__all__ = ["Experiment"]


class Experiment:
    """Trains plans with paired seeds; `arms` gives what is finished, at any moment."""

    def __init__(self, plans: Mapping[str, ArmPlan], seeds: Sequence[int], progress: Progress, runs: RunFile) -> None:
        self._plans, self._seeds, self._progress, self._runs = dict(plans), list(seeds), progress, runs
        self._trials: dict[tuple[str, int], Trial] = {}
        self._teams: dict[int, _Team] = {}
        self._started = perf_counter()
        self.reused = 0
        for name, plan in self._plans.items():
            for seed in self._seeds:
                if (trial := runs.get(runs.name(plan, seed))) is not None:
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
            for name, seed in waiting:
                self._team(self._plans[name].task).expect(self._plans[name], seed)
            for name, seed in waiting:
                plan = self._plans[name]
                trial = self._team(plan.task).trial(plan, seed)
                self._trials[name, seed] = trial
                self._runs.add(self._runs.name(plan, seed), trial)

    def _waiting(self, seeds: Sequence[int]) -> list[tuple[str, int]]:
        return [(name, seed) for name in self._plans for seed in seeds if (name, seed) not in self._trials]

    def _team(self, task: Task) -> _Team:
        if id(task) not in self._teams:
            self._teams[id(task)] = _Team(task, self._progress)
        return self._teams[id(task)]

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

    def __init__(self, task: Task, progress: Progress) -> None:
        self.task, self._progress = task, progress
        self._measures = Measures(task)
        self._models: dict[tuple[str, int], nn.Module] = {}
        self._keep: set[tuple[str, int]] = set()
        self._expected: list[tuple[ArmPlan, int]] = []
        self.engine = LocalEngine(task, progress, self._measure)

    def expect(self, plan: ArmPlan, seed: int) -> None:
        """Say what will be asked for, so that it can be trained together."""
        self._expected.append((plan, seed))

    def trial(self, plan: ArmPlan, seed: int) -> Trial:
        """The run of ``plan`` with ``seed``."""
        if self._expected:
            candidates = [(p.recipe, member) for p, s in self._expected for member in _members(p, s)]
            self._keep |= {(p.recipe.to_json(), m) for p, s in self._expected if p.members > 1 for m in _members(p, s)}
            self._expected = []
            self.engine.prepare(candidates, test=True)
        members = _members(plan, seed)
        trials = self.engine.run(plan.recipe, members, test=True)
        if plan.members == 1:
            return trials[0]
        return self._together(plan, trials, [self._models.pop((plan.recipe.to_json(), member)) for member in members])

    def _measure(self, fitted: Fitted) -> dict[str, float]:
        key = fitted.trial.recipe.to_json(), fitted.trial.seed
        if key in self._keep:
            self._models[key] = fitted.model
        return self._measures.of([fitted.model])

    def _together(self, plan: ArmPlan, trials: Sequence[Trial], models: Sequence[nn.Module]) -> Trial:
        """One trial from all members: the scores of their mean, the first one's curves, the time of all."""
        scores = {name: Score(*values) for name, values in self._measures.scores(models).items()}
        history = trials[0].history
        seconds = [sum(t.history.seconds[k] for t in trials if k < t.history.epochs) for k in range(history.epochs)]
        return replace(
            trials[0],
            history=msgspec.structs.replace(history, seconds=seconds),
            effects=self._measures.of(models),
            train=scores["train"],
            validation=scores["validation"],
            test=scores.get("test"),
        )


def _members(plan: ArmPlan, seed: int) -> list[int]:
    """The seeds of an ensemble's networks; the first is the seed itself."""
    return [seed, *(derive_seed(seed, "member", k) for k in range(1, plan.members))]
