"""Tune with a training loop of your own: anything that takes a recipe and says how good it was."""

from __future__ import annotations

import math
import numbers
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from sukima.base.checks import check_choice, check_count, check_instance, check_number
from sukima.base.errors import InputError
from sukima.base.messages import say
from sukima.comparison.statistics import paired_difference
from sukima.engines.progress import Progress, default_progress
from sukima.records.history import History
from sukima.records.recipe import Recipe
from sukima.records.result import Arm, Comparison, Cost, Score, Trial, TuneResult
from sukima.tuning.deadline import BudgetSpentError, Deadline, seconds_of
from sukima.tuning.finalists import finalists, winner_of
from sukima.tuning.insight import flat_ranges, importance
from sukima.tuning.sampling import Proposer
from sukima.tuning.space import Point, Space
from sukima.tuning.strategies.gp import propose_gp
from sukima.tuning.strategies.random import propose_random
from sukima.tuning.strategies.tpe import propose_tpe
from sukima.tuning.study import Entry, Study
from sukima.workflow.environment import environment

__all__ = ["Objective", "Report", "tune_objective"]

_STRATEGIES: dict[str, Proposer] = {"random": propose_random, "tpe": propose_tpe, "gp": propose_gp}

_FRESH = 2_000_000
_ENOUGH = 5
"""Candidates whose values at an epoch must be known before another is given up by them."""


class Report:
    """What an objective tells of its epochs, and what it may ask.

    Attributes:
        seed: for whatever the objective draws: the same for all candidates of the search, fresh ones at the end.
        epochs: the values that were reported, by epoch.
    """

    def __init__(self, seed: int, heard: Callable[[int, float], bool]) -> None:
        self.seed, self._heard = seed, heard
        self.epochs: dict[int, float] = {}
        self.given_up = False

    def __call__(self, epoch: int, value: float) -> bool:
        """Tell the validation value after an epoch (from 1).

        Returns:
            Whether the candidate is not worth going on with: then return from the objective.
        """
        check_count("epoch", epoch)
        if not isinstance(value, numbers.Real):
            check_number("value", value)
        self.epochs[epoch] = float(value)
        self.given_up = self._heard(epoch, float(value)) or self.given_up
        return self.given_up


Objective = Callable[[Recipe, Report], "History | float | None"]
"""Trains with a recipe, and gives its history or the value to go by; ``None`` stands for the last that was reported."""


def tune_objective(
    objective: Objective,
    space: Space,
    *,
    strategy: str = "tpe",
    trials: int = 50,
    budget: str | float | None = None,
    increases: bool = False,
    prune: bool = True,
    confirm_seeds: int = 3,
    first_seed: int = 0,
    storage: Any = None,
    study: str = "objective",
    progress: Progress | None = None,
) -> TuneResult:
    """Find the recipe by which ``objective`` does best: with Lightning, Hugging Face's Trainer, Keras, or a plain loop.

    The candidate without anything and the usual one come first, then what the strategy proposes. At the end the best
    three and the first are trained again with fresh seeds (``report.seed``), and compared pair by pair: the best of
    many is partly luck, so nothing is claimed from the search itself.

    A candidate that raises, or gives NaN, is recorded as failed and the study goes on. Ctrl-C ends it with what is
    done so far; with a ``storage`` the same call goes on where it was.

    Args:
        objective: ``objective(recipe, report)`` applies the recipe (`sukima.apply`), trains, calls
            ``report(epoch, value)`` after each epoch where it can, returns when that gives ``True``, and gives its
            `History` or the value to go by. It should draw its seeds from ``report.seed``.
        space: what to vary; `Space.of` makes one from a model's sites.
        strategy: ``tpe``, ``random``, or ``gp`` (a Gaussian process, for few costly trials; with PyTorch only).
        trials: how many candidates the search may have.
        budget: how long all of it may take: ``"10min"``, ``"1.5h"``, or seconds; the candidate at work is finished.
        increases: whether larger values are better.
        prune: whether a candidate is given up that, after a quarter or a half of the epochs, is worse than the median
            of those before it (Golovin et al. 2017).
        confirm_seeds: fresh seeds for the last comparison; 0 leaves it out, and nothing is claimed then.
        first_seed: the seed of the search.
        storage: an Optuna storage or its URL, such as ``sqlite:///sukima.db``; by default in memory.
        study: the study's name there.
        progress: told of the work; by default a bar where there is a terminal or a notebook to show it.

    Raises:
        InputError: an argument is not as described; the storage cannot be used; every candidate failed.
    """
    check_instance("space", space, Space)
    check_choice("strategy", strategy, _STRATEGIES)
    check_count("trials", trials)
    check_count("confirm_seeds", confirm_seeds, minimum=0)
    check_count("first_seed", first_seed, minimum=0)
    if not callable(objective):
        raise InputError(
            "objective must be a function of a recipe and a report, got {kind}", kind=type(objective).__name__
        )
    deadline = Deadline(seconds_of(budget))
    kept = Study(
        storage, study, space, increases=increases, about={"strategy": strategy, "sukima": environment()["sukima"]}
    )
    search = _Search(objective, kept, deadline, increases, prune, first_seed, progress or default_progress())
    return search.result(strategy, trials, confirm_seeds)


class _Search:
    def __init__(
        self,
        objective: Objective,
        study: Study,
        deadline: Deadline,
        increases: bool,
        prune: bool,
        seed: int,
        progress: Progress,
    ) -> None:
        self._objective, self._study, self._deadline = objective, study, deadline
        self._increases, self._prune, self._seed, self._progress = increases, prune, seed, progress
        self._trials = {(trial.recipe.to_json(), trial.seed): trial for _, trial, _ in study.runs()}
        self._epochs, self._started = 0, time.perf_counter()
        self._comparison: Comparison | None = None

    def result(self, strategy: str, trials: int, confirm_seeds: int) -> TuneResult:
        complete = False
        with self._progress:
            try:
                self._progress.stage("search", trials)
                self._run(_STRATEGIES[strategy], trials)
                self._confirm(confirm_seeds)
                complete = True
            except (KeyboardInterrupt, BudgetSpentError) as end:
                if isinstance(end, BudgetSpentError):
                    self._confirm(confirm_seeds)
        self._study.release()
        return self._result(strategy, complete)

    def _run(self, propose: Proposer, trials: int) -> None:
        space, references = self._study.space, self._references()
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
            self._deadline.check()
        if not self._finished():
            raise InputError("objective: expected at least one candidate to give a number, got {why}", why=self._why())

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
        """Call the objective; whatever it raises makes a failed trial."""

        def heard(epoch: int, value: float) -> bool:
            if entry is None:
                return False
            self._study.report(entry.number, epoch, value)
            self._study.news()
            return self._prune and self._is_hopeless(entry.number, epoch, value)

        report = Report(seed, heard)
        try:
            given = self._objective(recipe, report)
            trial = _trial(recipe, seed, given, report, self._increases)
        except Exception as error:  # the user's own code
            text = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
            trial = _trial(recipe, seed, History(status="failed", note=text), report, self._increases)
            self._progress.note(say("A candidate failed: {why}", why=text))
        self._epochs += max(trial.history.epochs, len(report.epochs))
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

    def _confirm(self, seeds: int) -> None:
        """The best few against the first, with fresh seeds."""
        finished = self._finished()
        none = self._study.space.recipe(self._references()[0])
        chosen = finalists(self._study.space, finished, none)
        if seeds < 2 or not chosen:
            return
        arms = {"baseline": none} | {f"#{e.number}": self._study.space.recipe(e.point) for e in chosen}
        numbers = {self._study.space.recipe(e.point).to_json(): e.number for e in finished}
        self._progress.stage("finalists", len(arms) * seeds)
        fresh = range(_FRESH + self._seed, _FRESH + self._seed + seeds)
        for seed in fresh:
            for recipe in arms.values():
                if (recipe.to_json(), seed) not in self._trials:
                    trial = self._train(recipe, seed)
                    self._trials[recipe.to_json(), seed] = trial
                    self._study.save_run(numbers.get(recipe.to_json(), 0), trial, test=False)
                    self._progress.trial(trial)
        self._comparison = self._compared(arms, fresh)

    def _compared(self, arms: dict[str, Recipe], seeds: Sequence[int]) -> Comparison:
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
        return Cost(time.perf_counter() - self._started, len(self._trials), self._epochs)

    def _result(self, strategy: str, complete: bool) -> TuneResult:
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
            strategy=strategy,
            given_up=sum(e.state == "pruned" for e in entries),
            failed=sum(e.state == "failed" for e in entries),
            importance=importance(space, finished),
            flat=flat_ranges(space, finished, values, increases=self._increases),
            study=(self._study.location, self._study.name) if self._study.location else (),
        )


def _trial(recipe: Recipe, seed: int, given: Any, report: Report, increases: bool) -> Trial:
    """A trial from what the objective gave: a history, a number, or nothing beyond what it reported."""
    reported = [report.epochs[epoch] for epoch in sorted(report.epochs)]
    if isinstance(given, History):
        history, value = given, _best(given, increases)
    else:
        if given is None:
            given = (max if increases else min)(reported, default=math.nan)
        if not isinstance(given, numbers.Real) or isinstance(given, bool):
            raise InputError("objective must give a History or a number, got {kind}", kind=type(given).__name__)
        value = float(given)
        curve = {"validation_metric": reported} if increases else {"validation_loss": reported}
        history = History(metric="value" if increases else "", metric_increases=increases, **curve)  # type: ignore[arg-type]  # one of two curves
    if history.status == "finished":
        if report.given_up:
            history.status = "pruned"
        elif math.isnan(value):
            history.status, history.note = "failed", str(say("the value is not a number"))
    worst = -math.inf if increases else math.inf
    score = (
        Score(math.nan, worst if math.isnan(value) else value)
        if increases
        else Score(worst if math.isnan(value) else value)
    )
    return Trial(recipe, seed, history, max(1, history.best_epoch + 1), Score(math.nan), score)


def _best(history: History, increases: bool) -> float:
    curve = history.validation_metric if increases else history.validation_loss
    return (max if increases else min)(curve, default=math.nan)
