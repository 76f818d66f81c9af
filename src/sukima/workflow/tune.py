"""Tune: baseline and guideline, a verdict, the search, the finalists, and one comparison on test data."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from sukima.base.checks import check_choice, check_count, check_instance
from sukima.base.errors import InputError
from sukima.base.imports import is_installed
from sukima.base.messages import Message, say
from sukima.diagnosis.known import Known
from sukima.diagnosis.verdict import judge
from sukima.engines.progress import Progress
from sukima.engines.table import EngineName, make_engine
from sukima.records.recipe import Recipe
from sukima.records.result import Arm, Comparison, Rung, Trial, TuneResult
from sukima.records.task import Task, setup_of, size_of
from sukima.records.verdict import Verdict
from sukima.tuning.deadline import BudgetSpentError, Deadline, seconds_of
from sukima.tuning.insight import flat_ranges, importance
from sukima.tuning.search import Search
from sukima.tuning.space import Breadth, Space
from sukima.tuning.strategies.ladder import ladder_candidates
from sukima.tuning.strategies.table import STRATEGIES, StrategyName, chosen_strategy, run_strategy
from sukima.tuning.study import Entry, Study
from sukima.workflow.choice import Choice
from sukima.workflow.compare import judged_by, run_arms
from sukima.workflow.demo import demo_task
from sukima.workflow.ending import SHARE, Ending
from sukima.workflow.environment import environment
from sukima.workflow.plan import BASELINE, GUIDELINE, WINNER, Plan, study_name

__all__ = ["tune"]

_TRIALS = 50
"""Candidates where neither a number nor a budget is given."""

_SEEDS, _CANDIDATES = 3, 24
"""Seeds for each candidate of a search; fewer, down to one, where the budget would not last for so many candidates: to
try more points tells more than to try each more often, and fresh seeds decide in the end."""


def tune(
    task: Task | None = None,
    space: Space | Breadth | None = None,
    *,
    strategy: StrategyName = "auto",
    by: str = "loss",
    budget: str | float | None = None,
    trials: int | None = None,
    search_seeds: int | None = None,
    test_seeds: int = 6,
    first_seed: int = 0,
    storage: Any = None,
    study: str | None = None,
    engine: EngineName = "local",
    workers: int | None = None,
    address: str | None = None,
    progress: Progress | None = None,
) -> TuneResult:
    """Find the recipe that generalises best on ``task``, and whether it helps.

    The task is trained without dropout and with the guideline's rates; a verdict says whether it overfits; the strategy
    searches the space on validation data; the best few are trained with fresh seeds, by which the winner is chosen;
    baseline, guideline and winner are then trained with fresh seeds again and compared, once, on test data. Every trial
    is judged at its best-validation checkpoint.

    Ctrl-C ends it with what is done so far (``complete`` is false). With a ``storage``, the same call goes on with a
    study that was interrupted, and trains nothing twice.

    Args:
        task: what to train; scikit-learn's digits and a small network by default.
        space: what to vary: a `Space`, or how much of what recipes hold: ``rates`` (the default), ``usual`` (weight
            decay, max-norm and label smoothing as well) or ``full``.
        strategy: ``ladder``, ``grid``, ``random``, ``tpe``, ``gp`` (a Gaussian process), ``halving``, ``learned`` (by
            gradient, with concrete dropout), or ``auto`` to have it chosen.
        by: what the search goes by: the validation ``loss``, or the task's metric by its name (or ``metric``).
        budget: how long all of it may take: ``"10min"``, ``"1.5h"``, or seconds.
        trials: how many candidates the search may have; 50 where there is no budget. The ladder ends by itself.
        search_seeds: paired seeds for each candidate of the search; by default 3, fewer where the budget is short.
        test_seeds: fresh paired seeds for the final comparison (fewer where the budget is short).
        first_seed: the first of the search's seeds; another one repeats the whole study independently.
        storage: an Optuna storage or its URL, such as ``sqlite:///sukima.db``, or ``journal:FILE``; by default in
            memory.
        study: the study's name there; by default the task's with a fingerprint of task, space and settings.
        engine: where candidates are trained: ``local``, in processes of this machine, or ``ray``, on a cluster. The
            results are the same.
        workers: how many train at once; by default one for each core, or each free processor of the cluster.
        address: of the Ray cluster, as Ray takes it; see `RayEngine`.
        progress: told of the work; by default a bar where there is a terminal or a notebook to show it.

    Raises:
        InputError: the task has no site for dropout, or no such metric; the storage or the cluster cannot be used.
    """
    task = task or demo_task()
    check_instance("task", task, Task)
    check_choice("strategy", strategy, STRATEGIES)
    if search_seeds is not None:
        check_count("search_seeds", search_seeds)
    check_count("test_seeds", test_seeds, minimum=2)
    check_count("first_seed", first_seed, minimum=0)
    if trials is not None:
        check_count("trials", trials)
    deadline = Deadline(seconds_of(budget))
    by = judged_by(task, by)
    trainer = make_engine(engine, task, progress, workers=workers, address=address)
    plan = Plan(task, space, trainer.progress)
    chosen = chosen_strategy(strategy, plan.space, task.epochs, limited=budget is not None or trials is not None)
    increases = by == "metric" and plan.metric_increases
    seeds = range(first_seed, first_seed + (search_seeds or _SEEDS))
    name = study or study_name(task, plan.space, chosen, by, seeds)
    about = {"task": task.name, "strategy": chosen, "by": by, "sukima": environment()["sukima"]}
    kept = Study(storage, name, plan.space, increases=increases, about=about)
    many = trials or (_TRIALS if budget is None else 1_000_000)
    search = Search(
        kept, trainer, seeds, by=by, increases=increases, deadline=deadline, trials=many, first_seed=first_seed
    )
    fewer = search_seeds is None and budget is not None and chosen != "ladder"
    automatic = strategy == "auto"
    return _Tuning(plan, chosen, search, test_seeds, fewer_seeds=fewer, automatic=automatic).result()


class _Tuning:
    """What is known so far; `result` can be asked for at any moment."""

    def __init__(
        self,
        plan: Plan,
        strategy: str,
        search: Search,
        test_seeds: int,
        *,
        fewer_seeds: bool,
        automatic: bool,
    ) -> None:
        self.plan, self.strategy, self.search, self.engine = plan, strategy, search, search.engine
        self.end = Ending(search.seeds, test_seeds, search.engine.workers)
        self.interrupted, self._fewer_seeds, self._automatic = False, fewer_seeds, automatic
        self.rungs: list[Rung] = []
        self.remark: Message | None = None
        self.verdict: Verdict | None = None
        self.choice = Choice(plan, search, self.end, self.rungs)
        self.comparison: Comparison | None = None

    def result(self) -> TuneResult:
        self.interrupted = True
        with suppress(KeyboardInterrupt), self.engine, self.engine.progress:
            try:
                self._train_references()
                with suppress(BudgetSpentError):
                    self._search()
                self.end.begin_choice(self.search.deadline)
                with suppress(BudgetSpentError):
                    self.choice.make()
                self._begin_comparison()
                self._compare()
            except BudgetSpentError:
                self.engine.progress.note(self._why_early())
            self.interrupted = False
        self.search.study.release()
        return self._result()

    def _why_early(self) -> Message:
        if self.engine.trials:
            return say("The budget was spent before the end: this is what is known so far.")
        return say(
            "The budget was spent before anything was trained. Kernels are compiled once on a machine, so that the "
            "next run begins sooner."
        )

    def _train_references(self) -> None:
        search = self.search
        self.engine.stage("baseline", 2 * len(search.seeds))
        if self._fewer_seeds:
            search.seeds = search.seeds[: search.study.settled("search seeds", self._affordable_seeds)]
        entries = search.known([self.plan.none, self.plan.usual])
        search.references = len({entry.number for entry in entries})
        baseline = search.evaluate(entries)[0]
        trials = self._trials(self.plan.baseline)
        if baseline.state == "failed":
            failed = next(trial.history for trial in trials if trial.history.status == "failed")
            raise InputError("the task cannot be trained: {why}", why=failed.note)
        known = Known(recipe=self.plan.baseline, sites=self.plan.sites, rows=size_of(self.plan.task.train))
        self.verdict = judge([trial.history for trial in trials], source=BASELINE, known=known)
        if self.verdict.recipe is not None and self.strategy != "ladder":  # what the verdict would do is worth a try
            advised = self.plan.space.near(self.verdict.recipe)
            if search.known([advised])[0].number not in {entry.number for entry in entries}:
                search.advised, search.references = [advised], search.references + 1
        search.sampled = True  # from here on nobody judges training curves
        self._announce()

    def _affordable_seeds(self) -> int:
        """How many seeds for each candidate there is time for, from the time that the first of them takes."""
        search = self.search
        search.try_out([self.plan.none, self.plan.usual])
        return max(1, int(min(len(search.seeds), (1 - SHARE) * search.trainings_left() / _CANDIDATES)))

    def _has_few(self) -> bool:
        """Whether there is no time for as many candidates as a search should have."""
        return (1 - SHARE) * self.search.affordable() < _CANDIDATES

    def _announce(self) -> None:
        """Say how long all of it will take, from the time that the first trials took; keep time for the end."""
        deadline, pace = self.search.deadline, self.search.pace
        few = deadline.seconds is not None and bool(self.search.study.settled("few candidates", self._has_few))
        self.end.fit(deadline, pace, known=self.search.seeds if few else ())
        if few and self._automatic and is_installed("torch"):
            self.strategy = "gp"
        if deadline.seconds is not None:
            self.engine.progress.budget(deadline.seconds - deadline.spent)
            self.engine.progress.note(say("Searching until {time} are spent.", time=_time(deadline.seconds)))
            return
        trials = self._search_trials() + self.end.trainings
        self.engine.progress.note(say("About {trials} trials, {time}.", trials=trials, time=_time(trials * pace)))

    def _search_trials(self) -> int:
        rates = sum(dimension.field == "rate" for dimension in self.plan.space.dimensions)
        count = ladder_candidates(rates) if self.strategy == "ladder" else min(self.search.trials, self.plan.space.size)
        return count * len(self.search.seeds)

    def _search(self) -> None:
        known = sum(entry.state != "waiting" for entry in self.search.entries()) * len(self.search.seeds)
        timed = self.search.deadline.seconds is not None
        self.engine.stage("search", 0 if timed else max(1, self._search_trials() - known))
        self.remark = run_strategy(self.strategy, self.search, self.rungs.append)
        if self.remark is not None:
            self.engine.progress.note(self.remark)
        self.search.refresh()

    def _begin_comparison(self) -> None:
        deadline = self.search.deadline
        if deadline.seconds is not None:  # as many as when it was first begun, so that a finished study stays so
            seeds = self.search.study.settled("comparison seeds", lambda: self.end.affordable_seeds(deadline))
            self.end.compare_with(seeds)
        self.end.begin_comparison(deadline)

    def _compare(self) -> None:
        plan = self.plan
        arms = {BASELINE: plan.baseline}
        if plan.guideline != plan.baseline:
            arms[GUIDELINE] = plan.guideline
        if not (best := self.choice.best()).is_empty and best != plan.guideline:
            arms[WINNER] = best
        if len(arms) < 2:
            return
        self.engine.stage("comparison", len(arms) * len(self.end.fresh))
        self.comparison = run_arms(plan.task, arms, self.end.fresh, self.engine, by=self.search.by, level=0.95)

    def _result(self) -> TuneResult:
        search = self.search
        entries, finished = search.entries(), search.finished()
        known = {entry.number: search.values(self.plan.space.recipe(entry.point)) for entry in finished}
        values = {number: found for number, found in known.items() if len(found) == len(search.seeds)}
        return TuneResult(
            task=self.plan.task.name,
            by=search.by,
            recipe=Recipe() if (best := self.choice.best()).is_empty else best,
            model=self.plan.model,
            sites=self.plan.sites,
            search=tuple(self._arms(finished)),
            ladder=tuple(self.rungs),
            baseline=self.verdict,
            comparison=self.comparison,
            cost=self.engine.cost(),
            environment=environment(),
            setup=setup_of(self.plan.task),
            complete=not self.interrupted and (self.comparison is None or self.comparison.complete),
            finalists=self.choice.comparison,
            strategy=self.strategy,
            given_up=sum(entry.state == "pruned" for entry in entries),
            failed=sum(entry.state == "failed" for entry in entries),
            importance=importance(self.plan.space, finished),
            flat=flat_ranges(self.plan.space, finished, values, increases=search.increases),
            remark=self.remark,
            study=(search.study.location, search.study.name) if search.study.location else (),
        )

    def _arms(self, finished: Sequence[Entry]) -> list[Arm]:
        """The candidates that ended, in the order of their numbers; one that was proposed twice stands once."""
        different = {self.plan.space.recipe(e.point).to_json(): e for e in sorted(finished, key=lambda e: -e.number)}
        ordered = sorted(different.values(), key=lambda entry: entry.number)
        recipes = {entry.number: self.plan.space.recipe(entry.point) for entry in ordered}
        return [Arm(self.plan.name(e), recipes[e.number], self._trials(recipes[e.number])) for e in ordered]

    def _trials(self, recipe: Recipe) -> tuple[Trial, ...]:
        known = [self.engine.known((recipe, seed)) for seed in self.search.seeds]
        return tuple(trial for trial in known if trial is not None)


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
