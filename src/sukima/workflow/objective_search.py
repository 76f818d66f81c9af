"""The search with an objective: one candidate after another, then the best few with fresh seeds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from contextlib import suppress

from sukima.base.errors import InputError
from sukima.base.messages import say
from sukima.comparison.statistics import paired_difference
from sukima.engines.progress import Progress
from sukima.records.history import History
from sukima.records.recipe import Recipe
from sukima.records.result import Arm, Comparison, Cost, Trial, TuneResult
from sukima.tuning.deadline import BudgetSpentError, Deadline
from sukima.tuning.finalists import FINALISTS, finalists, winner_of
from sukima.tuning.insight import flat_ranges, importance
from sukima.tuning.sampling import Proposer
from sukima.tuning.space import Point
from sukima.tuning.strategies.gp import propose_gp
from sukima.tuning.strategies.random import propose_random
from sukima.tuning.strategies.tpe import propose_tpe
from sukima.tuning.study import Entry, Study, StudyPausedError
from sukima.workflow.ending import FINALS, GRACE, PAIRS, SHARE
from sukima.workflow.environment import environment
from sukima.workflow.objective_report import Objective, Report, trial_of

__all__ = ["STRATEGIES", "ObjectiveSearch"]

STRATEGIES: dict[str, Proposer] = {"random": propose_random, "tpe": propose_tpe, "gp": propose_gp}
"""Where candidates come from, by what users call it."""

_ENOUGH = 5
"""Candidates whose values at an epoch must be known before another is given up by them."""


class ObjectiveSearch:
    """What is known so far of an objective.

    Args:
        objective: what trains.
        study: where candidates are kept; its space is searched.
        deadline: when all of it must have ended.
        strategy: one of `STRATEGIES`.
        increases: whether larger values are better.
        prune: whether candidates are given up on the way.
        seed: of the search.
        confirm_seeds: fresh seeds for the finalists, at most.
        progress: told of the work.
    """

    def __init__(
        self,
        objective: Objective,
        study: Study,
        deadline: Deadline,
        *,
        strategy: str,
        increases: bool,
        prune: bool,
        seed: int,
        confirm_seeds: int,
        progress: Progress,
    ) -> None:
        self._objective, self._study, self._deadline, self._strategy = objective, study, deadline, strategy
        self._increases, self._prune, self._seed, self._progress = increases, prune, seed, progress
        self._trials = {(trial.recipe.to_json(), trial.seed): trial for _, trial, _ in study.runs()}
        self._confirm_seeds, self._epochs = confirm_seeds, 0
        self._whole: list[float] = []
        self._comparison: Comparison | None = None

    def result(self, trials: int) -> TuneResult:
        """Search, choose the winner, and tell what was found; less of it after Ctrl-C or where time runs out."""
        complete = False
        with suppress(KeyboardInterrupt), self._progress:
            limit = self._deadline.seconds
            if limit is not None:
                self._progress.budget(limit)
            self._progress.stage("search", trials if limit is None else 0)
            with suppress(BudgetSpentError):
                self._run(trials)
            if not self._finished():
                raise InputError(
                    "objective: expected at least one candidate to give a number, got {why}", why=self._why()
                )
            self._confirm()
            complete = True
        self._study.release()
        return self._result(complete)

    def _run(self, trials: int) -> None:
        """Evaluate candidates, as long as there is time for one more and for the end."""
        space, references, propose = self._study.space, self._references(), STRATEGIES[self._strategy]
        while True:
            entries = self._study.entries()
            waiting = next((e for e in entries if e.state == "waiting" and self._study.take(e)), None)
            if waiting is None and len(entries) >= trials:
                break
            if waiting is None:
                number = len(entries)
                if number < len(references):
                    point = references[number]
                else:
                    (point,) = propose(space, entries, 1, seed=self._seed, increases=self._increases)
                waiting = self._study.add(point)
            self._evaluate(waiting)
            self._keep_time_for_the_end()

    def _keep_time_for_the_end(self) -> None:
        if self._deadline.seconds is not None:
            count, seeds = self._end_within(SHARE * self._deadline.seconds)
            self._deadline.reserve = (count + 1) * seeds * self._pace
            if self._deadline.left < self._pace:
                raise BudgetSpentError

    def _end_within(self, seconds: float) -> tuple[int, int]:
        """How many finalists can be trained beside the first candidate in so many seconds, and with how many seeds."""
        choices = [(FINALISTS, seeds) for seeds in range(self._confirm_seeds, PAIRS - 1, -1)]
        choices += [(count, PAIRS) for count in range(FINALISTS - 1, 0, -1) if choices]
        return next(((c, s) for c, s in choices if (c + 1) * s * self._pace <= seconds), (0, 0))

    @property
    def _pace(self) -> float:
        """Seconds that a whole training takes, as far as is known."""
        return statistics.fmean(self._whole) if self._whole else 0.0

    def _references(self) -> list[Point]:
        space = self._study.space
        none = space.nothing()
        return [none] if none == space.usual() else [none, space.usual()]

    def _evaluate(self, entry: Entry) -> None:
        recipe = self._study.space.recipe(entry.point)
        known = self._trials.get((recipe.to_json(), self._seed))
        trial = known or self._train(recipe, self._seed, entry)
        self._trials[recipe.to_json(), self._seed] = trial
        if trial.history.status == "failed":
            self._study.tell(entry.number, "failed", note=trial.history.note)
        else:
            self._study.save_run(entry.number, trial, test=False)
            pruned = trial.history.status == "pruned"
            self._study.tell(entry.number, "pruned" if pruned else "complete", None if pruned else self._value(trial))
        self._progress.trial(trial)

    def _train(self, recipe: Recipe, seed: int, entry: Entry | None = None) -> Trial:
        """Call the objective; whatever it raises makes a failed trial.

        Raises:
            StudyPausedError: what it reports cannot be written down.
        """

        def heard(epoch: int, value: float) -> bool:
            if entry is None:
                return False
            self._study.report(entry.number, epoch, value)
            self._study.news()
            return self._prune and self._is_hopeless(entry.number, epoch, value)

        report, began = Report(seed, heard), self._deadline.spent
        try:
            given = self._objective(recipe, report)
            trial = trial_of(recipe, seed, given, report, self._increases)
        except StudyPausedError:
            raise
        except Exception as error:  # the user's own code
            text = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
            trial = trial_of(recipe, seed, History(status="failed", note=text), report, self._increases)
            self._progress.note(say("A candidate failed: {why}", why=text))
        self._epochs += max(trial.history.epochs, len(report.epochs))
        if trial.history.status not in ("failed", "pruned"):
            self._whole.append(self._deadline.spent - began)
        return trial

    def _is_hopeless(self, number: int, epoch: int, value: float) -> bool:
        others = [e for e in self._study.entries() if e.number != number and e.reports]
        longest = max((max(e.reports) for e in others if e.state == "complete"), default=0)
        if epoch not in {max(1, round(longest * share)) for share in (0.25, 0.5)} or epoch >= longest:
            return False
        seen = [e.reports[epoch] for e in others if epoch in e.reports and math.isfinite(e.reports[epoch])]
        if len(seen) < _ENOUGH:
            return False
        median = statistics.median(seen)
        return not (value >= median if self._increases else value <= median)

    def _value(self, trial: Trial) -> float:
        return trial.validation.by("metric" if self._increases else "loss")

    def _finished(self) -> list[Entry]:
        done = [e for e in self._study.entries() if e.state == "complete" and e.value is not None]
        return sorted(done, key=lambda e: ((-1 if self._increases else 1) * (e.value or 0.0), e.number))

    def _why(self) -> str:
        notes = [trial.history.note for trial in self._trials.values() if trial.history.note]
        return notes[0] if notes else "NaN"

    def _confirm(self) -> None:
        """The best few against the first, with fresh seeds; as many as there is time for."""
        deadline, space, finished = self._deadline, self._study.space, self._finished()
        deadline.reserve = -GRACE * (deadline.seconds or 0.0)
        count, seeds = self._end_within(deadline.left)
        none = space.recipe(self._references()[0])
        chosen = finalists(space, finished, none, count)
        if not chosen:
            if not count and self._confirm_seeds >= PAIRS:
                self._progress.note(say("There was no time to train the best with fresh seeds: nothing is claimed."))
            return
        arms = {"baseline": none} | {f"#{e.number}": space.recipe(e.point) for e in chosen}
        numbers = {space.recipe(e.point).to_json(): e.number for e in finished}
        self._progress.stage("finalists", len(arms) * seeds)
        fresh = range(FINALS + self._seed, FINALS + self._seed + seeds)
        for seed in fresh:
            for recipe in arms.values():
                if (recipe.to_json(), seed) not in self._trials:
                    trial = self._train(recipe, seed)
                    self._trials[recipe.to_json(), seed] = trial
                    self._study.save_run(numbers.get(recipe.to_json(), 0), trial, test=False)
                    self._progress.trial(trial)
        self._comparison = self._compared(arms, fresh)

    def _compared(self, arms: Mapping[str, Recipe], seeds: Sequence[int]) -> Comparison:
        made = tuple(
            Arm(name, recipe, tuple(self._trials[recipe.to_json(), seed] for seed in seeds))
            for name, recipe in arms.items()
        )
        values = {arm.name: [self._value(trial) for trial in arm.trials] for arm in made}
        level = 1 - 0.05 / (len(made) - 1)
        return Comparison(
            task=self._study.name,
            by="metric" if self._increases else "loss",
            metric=made[0].trials[0].history.metric,
            metric_increases=self._increases,
            data="validation",
            arms=made,
            differences={
                arm.name: paired_difference(
                    values[made[0].name], values[arm.name], increases=self._increases, level=level
                )
                for arm in made[1:]
            },
            verdicts={},
            cost=self._cost(),
            environment=environment(),
        )

    def _winner(self, finished: Sequence[Entry]) -> Recipe:
        """The finalists' winner; the best candidate where there were none."""
        if self._comparison is not None:
            return winner_of(self._comparison)
        return self._study.space.recipe(finished[0].point) if finished else Recipe()

    def _cost(self) -> Cost:
        return Cost(self._deadline.spent, len(self._trials), self._epochs)

    def _result(self, complete: bool) -> TuneResult:
        space, finished, entries = self._study.space, self._finished(), self._study.entries()
        arms = []
        for entry in sorted(finished, key=lambda e: e.number):
            recipe = space.recipe(entry.point)
            if trial := self._trials.get((recipe.to_json(), self._seed)):
                arms.append(Arm("baseline" if entry.number == 0 else f"#{entry.number}", recipe, (trial,)))
        values = {e.number: [e.value] for e in finished if e.value is not None}
        return TuneResult(
            task=self._study.name,
            by="metric" if self._increases else "loss",
            recipe=self._winner(finished),
            model="",
            sites=(),
            search=tuple(arms),
            ladder=(),
            baseline=None,
            comparison=self._comparison,
            cost=self._cost(),
            environment=environment(),
            complete=complete,
            strategy=self._strategy,
            given_up=sum(e.state == "pruned" for e in entries),
            failed=sum(e.state == "failed" for e in entries),
            importance=importance(space, finished),
            flat=flat_ranges(space, finished, values, increases=self._increases),
            study=(self._study.location, self._study.name) if self._study.location else (),
        )
