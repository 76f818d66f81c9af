"""Tune: baseline and guideline, a verdict, the search, and one comparison on test data."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from sukima.base.checks import check_count, check_instance
from sukima.base.errors import InputError
from sukima.base.messages import say
from sukima.diagnosis.verdict import judge
from sukima.engines.local import LocalEngine
from sukima.engines.progress import Progress
from sukima.engines.torch.inspect import check_recipes, inspect_model
from sukima.records.guideline import guideline_recipe
from sukima.records.recipe import Recipe
from sukima.records.result import Arm, Comparison, Rung, TuneResult
from sukima.records.task import Task, setup_of
from sukima.records.verdict import Verdict
from sukima.tuning.strategies.ladder import ladder, ladder_trials
from sukima.workflow.compare import judged_by, note_functional, run_arms
from sukima.workflow.demo import demo_task
from sukima.workflow.environment import environment

__all__ = ["BASELINE", "GUIDELINE", "WINNER", "tune"]

BASELINE, GUIDELINE, WINNER = "baseline", "guideline", "winner"
"""The names of tune's arms; a winner that is the guideline's recipe has no arm of its own."""

_FRESH = 1_000_000
"""Where the seeds of the final comparison begin, so that none of them was seen by the search."""


def tune(
    task: Task | None = None,
    *,
    by: str = "loss",
    search_seeds: int = 3,
    test_seeds: int = 6,
    first_seed: int = 0,
    workers: int | None = None,
    progress: Progress | None = None,
) -> TuneResult:
    """Find the rates that generalise best on ``task``, and whether they help.

    The task is trained without dropout and with the guideline's rates; a verdict says whether it overfits; the
    ladder searches the rates on validation data; baseline, guideline and winner are then trained with fresh seeds and
    compared, once, on test data. Every trial is judged at its best-validation checkpoint.

    Ctrl-C ends it with what is done so far (``complete`` is false).

    Args:
        task: what to train; scikit-learn's digits and a small network by default.
        by: what the search goes by: the validation ``loss``, or the task's metric by its name (or ``metric``).
        search_seeds: paired seeds for each recipe of the search.
        test_seeds: fresh paired seeds for the final comparison.
        first_seed: the first of the search's seeds; another one repeats the whole study independently.
        workers: processes that train at once; one for each core by default, where processes can be forked.
        progress: told of the work; by default a bar where there is a terminal or a notebook to show it.

    Raises:
        InputError: the task has no site for dropout, or no such metric.
    """
    task = task or demo_task()
    check_instance("task", task, Task)
    check_count("search_seeds", search_seeds)
    check_count("test_seeds", test_seeds, minimum=2)
    check_count("first_seed", first_seed, minimum=0)
    seeds = range(first_seed, first_seed + search_seeds)
    fresh = range(_FRESH + first_seed, _FRESH + first_seed + test_seeds)
    return _Study(task, by, seeds, fresh, LocalEngine(task, progress, workers=workers)).result()


class _Study:
    """What is known so far; `result` can be asked for at any moment."""

    def __init__(self, task: Task, by: str, seeds: range, fresh: range, engine: LocalEngine) -> None:
        self.task, self.by, self.seeds, self.fresh, self.engine = task, judged_by(task, by), seeds, fresh, engine
        inspected = inspect_model(task)
        note_functional(inspected, engine.progress)
        self.model, found = inspected.model, inspected.sites
        self.sites = tuple(site for site in found if site.place != "output")
        if not self.sites:
            raise InputError(
                "model: expected dropout, or hidden activations after which it can be inserted, got none in {model}",
                model=self.model,
            )
        # Dropout after the output layer is never right, so no arm keeps it.
        self.none = Recipe(rates={site.name: 0.0 for site in found})
        self.guideline = self.none.with_rates({**self.none.rates, **guideline_recipe(self.sites).rates})
        check_recipes(task, [self.guideline])
        self.search: list[Arm] = []
        self.rungs: list[Rung] = []
        self.verdict: Verdict | None = None
        self.comparison: Comparison | None = None

    def result(self) -> TuneResult:
        with suppress(KeyboardInterrupt), self.engine.progress:
            self._train_references()
            self._climb()
            self._compare()
        return TuneResult(
            task=self.task.name,
            by=self.by,
            recipe=self._winner(),
            model=self.model,
            sites=self.sites,
            search=tuple(self.search),
            ladder=tuple(self.rungs),
            baseline=self.verdict,
            comparison=self.comparison,
            cost=self.engine.cost(),
            environment=environment(),
            setup=setup_of(self.task),
            complete=self.comparison is not None and self.comparison.complete,
        )

    def _train_references(self) -> None:
        self.engine.stage("baseline", 2 * len(self.seeds))
        self._prepare([self.none, self.guideline])
        self.search.append(Arm(BASELINE, self.none, self.engine.run(self.none, self.seeds)))
        self.verdict = judge([trial.history for trial in self.search[0].trials], source=BASELINE)
        self._announce()
        self.search.append(Arm(GUIDELINE, self.guideline, self.engine.run(self.guideline, self.seeds)))

    def _announce(self) -> None:
        """Say how long all of it will take, from the time that the first trials took."""
        so_far = self.engine.cost()
        trials = ladder_trials(len(self.sites), len(self.seeds)) + len(self.seeds) + 3 * len(self.fresh)
        minutes, seconds = divmod(round(trials * so_far.seconds / so_far.trials), 60)
        took = f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"
        self.engine.progress.note(say("About {trials} trials, {time}.", trials=trials, time=took))

    def _climb(self) -> None:
        self.engine.stage("search", ladder_trials(len(self.sites), len(self.seeds)) - len(self.seeds))
        increases = self.by == "metric" and self.search[0].trials[0].history.metric_increases
        names = [site.name for site in self.sites]
        for rung in ladder(self.none, names, self._values, increases=increases, expect=self._prepare):
            self.rungs.append(rung)
            name = f"{rung.site} {rung.rate:g}"
            self.search.append(Arm(name, rung.recipe, self.engine.run(rung.recipe, self.seeds)))

    def _prepare(self, recipes: Sequence[Recipe]) -> None:
        self.engine.prepare([(recipe, seed) for recipe in recipes for seed in self.seeds])

    def _values(self, recipe: Recipe) -> Sequence[float]:
        return [trial.validation.by(self.by) for trial in self.engine.run(recipe, self.seeds)]

    def _winner(self) -> Recipe:
        """The last recipe that was accepted; the empty one where nothing beat the baseline."""
        best = [rung.recipe for rung in self.rungs if rung.accepted][-1:]
        return Recipe() if not best or best[0].is_empty else best[0]

    def _compare(self) -> None:
        arms = {BASELINE: self.none, GUIDELINE: self.guideline}
        if not (winner := self._winner()).is_empty and winner != self.guideline:
            arms[WINNER] = winner
        self.engine.stage("comparison", len(arms) * len(self.fresh))
        self.comparison = run_arms(self.task, arms, self.fresh, self.engine, by=self.by, level=0.95)
