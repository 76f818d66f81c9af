"""The search: candidates of a space, trained by an engine with paired seeds, and written down in a study.

Everything a strategy decides is a function of what the study holds, so that a study that was interrupted goes on to the
same end: finished runs are taken from the study, the others are trained.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from sukima.base.messages import say
from sukima.engines.engine import Engine, Judge
from sukima.records.history import History
from sukima.records.recipe import Recipe
from sukima.records.result import Trial
from sukima.records.task import By
from sukima.tuning.deadline import Deadline
from sukima.tuning.space import Point, Space
from sukima.tuning.study import Entry, State, Study

__all__ = ["Keep", "Search"]

Keep = Callable[[int, Mapping[int, float]], Collection[int]]
"""From the number of epochs and the value of each candidate of a batch (by number) to those that go on."""

_POLL = 0.5
"""Seconds between looks at candidates that another process works on."""


class Search:
    """Evaluates candidates; each is trained once, whoever asks.

    Args:
        study: where candidates are kept.
        engine: trains them.
        seeds: paired seeds for each.
        by: what is optimized on the validation data.
        increases: whether larger values are better.
        deadline: when it must end.
        trials: how many candidates there may be, the references among them.
        first_seed: what proposals that are drawn at random depend on.

    Attributes:
        references: how many candidates, the first ones, were given and not proposed.
        advised: those of them that are to be trained beside the first that are proposed.
        sampled: whether training curves are from now on those of a sample of the rows.
    """

    def __init__(
        self,
        study: Study,
        engine: Engine,
        seeds: Sequence[int],
        *,
        by: By,
        increases: bool,
        deadline: Deadline,
        trials: int,
        first_seed: int = 0,
    ) -> None:
        self.study, self.engine, self.seeds, self.by = study, engine, tuple(seeds), by
        self.increases, self.deadline, self.trials, self.first_seed = increases, deadline, trials, first_seed
        self.references, self.advised, self.sampled = 0, list[Point](), False
        self._began, self._trained = deadline.spent, 0
        self._numbers: dict[str, int] = {}
        self._open: dict[str, list[int]] = {}
        self._left: dict[str, set[int]] = {}
        for entry in study.entries():
            self._numbers.setdefault(self.space.recipe(entry.point).to_json(), entry.number)
        self.refresh()
        engine.on_trial, engine.on_epoch = self._ended, self._epoch

    def refresh(self) -> None:
        """Learn of the runs that the study holds, from before or from other processes."""
        for number, trial, test in self.study.runs():
            if self.engine.known((trial.recipe, trial.seed), test=test) is None:
                self.engine.remember(trial, test=test)
            self._numbers.setdefault(trial.recipe.to_json(), number)

    @property
    def space(self) -> Space:
        """Where candidates lie."""
        return self.study.space

    @property
    def epochs(self) -> int:
        """The most a trial may take."""
        return self.engine.task.epochs

    @property
    def pace(self) -> float:
        """Seconds on the clock that a whole training takes, as far as is known; 0 before the first has ended."""
        spent, epochs = self.deadline.spent - self._began, self._trained
        if not epochs:  # a study that goes on
            known = [trial.history for trial in self.engine.trials.values()]
            spent = sum(sum(history.seconds) for history in known) / self.engine.workers
            epochs = sum(history.epochs for history in known)
        return spent * self.epochs / epochs if epochs else 0.0

    def trainings_left(self) -> float:
        """How many trainings there is time for."""
        return self.deadline.left / self.pace if self.pace else math.inf

    def affordable(self, share: float = 1.0) -> float:
        """How many candidates there is time for that take this share of a whole training for each seed."""
        return self.trainings_left() / (share * len(self.seeds))

    def try_out(self, points: Sequence[Point]) -> None:
        """Train candidates with the first seed alone, and so learn the `pace`."""
        recipes = {}
        for entry in self.known(points):
            recipe = self.space.recipe(entry.point)
            self._numbers.setdefault(recipe.to_json(), entry.number)
            recipes[recipe.to_json()] = recipe
        self._prepare([(recipe, self.seeds[0]) for recipe in recipes.values()])

    def entries(self) -> list[Entry]:
        """All candidates of the study."""
        return self.study.entries()

    def finished(self) -> list[Entry]:
        """Those that were trained to their end, best first."""
        sign = -1 if self.increases else 1
        done = [e for e in self.entries() if e.state == "complete" and e.value is not None]
        return sorted(done, key=lambda e: (sign * (e.value if e.value is not None else math.inf), e.number))

    def values(self, recipe: Recipe) -> list[float]:
        """The value of each seed of a recipe that has been evaluated."""
        known = [self.engine.known((recipe, seed)) for seed in self.seeds]
        return [trial.validation.by(self.by) for trial in known if trial is not None]

    def known(self, points: Sequence[Point]) -> list[Entry]:
        """The candidates at these points; new ones where there are none."""
        found = {_key(entry.point): entry for entry in self.entries()}
        for point in points:
            if _key(point) not in found:
                found[_key(point)] = self.study.add(point)
        return [found[_key(point)] for point in points]

    def evaluate(
        self,
        entries: Sequence[Entry],
        *,
        rungs: Collection[int] = (),
        keep: Keep | None = None,
        wait: bool = True,
    ) -> list[Entry]:
        """Train candidates side by side, and give them as they are then; those that have ended are not trained again.

        With ``rungs``, ``keep`` says after each of these epochs which candidates of the batch go on. What another
        process works on is waited for, unless ``wait`` is false.

        Raises:
            BudgetSpentError: the time was up before all of them had ended.
        """
        waiting = list({entry.number: entry for entry in entries if entry.state == "waiting"}.values())
        mine = [entry for entry in waiting if self.study.take(entry)]
        self._train(mine, entries, rungs, keep)
        if others := [entry for entry in waiting if wait and entry not in mine]:
            for entry in others:
                self._await(entry, rungs, keep)
            self.refresh()
        now = {entry.number: entry for entry in self.entries()}
        return [now[entry.number] for entry in entries]

    def _train(self, mine: Sequence[Entry], batch: Sequence[Entry], rungs: Collection[int], keep: Keep | None) -> None:
        recipes: dict[str, Recipe] = {}
        for entry in mine:
            recipe = self.space.recipe(entry.point)
            recipes.setdefault(recipe.to_json(), recipe)
            self._numbers[recipe.to_json()] = entry.number
            self._open.setdefault(recipe.to_json(), []).append(entry.number)
        for text, recipe in recipes.items():
            self._left[text] = {seed for seed in self.seeds if self.engine.known((recipe, seed)) is None}
            self._tell_if_ended(recipe)
        order = [(recipe, seed) for recipe in recipes.values() for seed in self.seeds]
        judge = self._judge(order, batch, keep) if keep is not None else None
        self.deadline.check()
        self._prepare(order, sampled=self.sampled, rungs=rungs, judge=judge)

    def _prepare(self, order: Sequence[tuple[Recipe, int]], **how: Any) -> None:
        """See `Engine.prepare`; what the first training would compile is compiled before it is timed."""
        if not self._trained and any(self.engine.known(one) is None for one in order):
            self.engine.get_ready()
            self._began = self.deadline.spent
        self.engine.prepare(order, **how)

    def _judge(self, order: Sequence[tuple[Recipe, int]], batch: Sequence[Entry], keep: Keep) -> Judge:
        """The rule that keeps candidates as one that gives up runs; a candidate is the mean of its seeds."""
        numbers = {entry.number for entry in batch}

        def judge(epoch: int, histories: Mapping[int, History]) -> Collection[int]:
            values: dict[int, list[float]] = {}
            for place, history in histories.items():
                for number in self._open[order[place][0].to_json()]:
                    values.setdefault(number, []).append(self._best(history))
            means = {number: statistics.fmean(found) for number, found in values.items()}
            for number, value in means.items():
                self.study.report(number, epoch, value)
            # Those that ended before, here or in a process that was killed, had a value at this rung as well.
            ended = {entry.number: entry.reports[epoch] for entry in self.entries() if epoch in entry.reports}
            kept = set(keep(epoch, {**means, **{n: v for n, v in ended.items() if n in numbers}}))
            return [p for p in histories if not kept.intersection(self._open[order[p][0].to_json()])]

        return judge

    def _best(self, history: History) -> float:
        """The value at the best epoch so far, as a trial is judged."""
        curve = history.validation_loss if self.by == "loss" else history.validation_metric
        return curve[history.best_epoch]

    def _epoch(self) -> None:
        self.study.news()
        self.deadline.check()

    def _ended(self, trial: Trial, test: bool) -> None:
        self._trained += trial.history.epochs
        text = trial.recipe.to_json()
        if text not in self._numbers:
            return
        self.study.save_run(self._numbers[text], trial, test=test)
        if not test and trial.seed in self._left.get(text, ()):
            self._left[text].discard(trial.seed)
            self._tell_if_ended(trial.recipe)

    def _tell_if_ended(self, recipe: Recipe) -> None:
        """A candidate has ended when all of its seeds have."""
        text = recipe.to_json()
        if self._left[text]:
            return
        del self._left[text]
        trials = [self.engine.trials[text, seed, False] for seed in self.seeds]
        state, value, note = self._fate(trials)
        for number in self._open.pop(text):
            self.study.tell(number, state, value, note)

    def _fate(self, trials: Sequence[Trial]) -> tuple[State, float | None, str]:
        """How a candidate ended: state, value, and what to note."""
        for trial in trials:
            if trial.history.status == "failed":
                return "failed", None, trial.history.note
        if any(trial.history.status == "pruned" for trial in trials):
            return "pruned", None, ""
        value = statistics.fmean(trial.validation.by(self.by) for trial in trials)
        if math.isnan(value):
            return "failed", None, str(say("the value is not a number"))
        return "complete", value, ""

    def _await(self, entry: Entry, rungs: Collection[int], keep: Keep | None) -> None:
        """Another process has it; if that one dies it is trained here."""
        while True:
            now = next(e for e in self.entries() if e.number == entry.number)
            if now.state != "waiting":
                return
            if self.study.take(now):
                self._train([now], [now], rungs, keep)
                return
            self.deadline.check()
            time.sleep(_POLL)


def _key(point: Point) -> str:
    return repr(sorted(point.items()))
