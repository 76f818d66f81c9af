"""Compare: recipes side by side on one task, with paired seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sukima.base.checks import check_count, check_instance
from sukima.base.errors import InputError
from sukima.base.messages import say
from sukima.comparison.statistics import paired_difference
from sukima.diagnosis.verdict import judge
from sukima.engines.local import LocalEngine
from sukima.engines.progress import Progress
from sukima.engines.torch.inspect import Inspected, check_recipes, inspect_model
from sukima.records.guideline import guideline_recipe
from sukima.records.recipe import Recipe
from sukima.records.result import Arm, Comparison, Trial
from sukima.records.site import Site
from sukima.records.task import By, Task, setup_of
from sukima.workflow.demo import demo_task
from sukima.workflow.environment import environment

__all__ = ["compare", "judged_by", "note_functional", "run_arms"]


_AT_ONCE = 6
"""Trials, about, that an engine is offered together; an interruption loses those."""


def compare(
    task: Task | None = None,
    recipes: Mapping[str, Recipe] | None = None,
    *,
    by: str = "loss",
    seeds: int = 5,
    first_seed: int = 0,
    progress: Progress | None = None,
) -> Comparison:
    """Train recipes side by side and say which differ from the first, with intervals.

    Every arm is trained with the same seeds (the same initial weights and order of data) and judged at its own
    best-validation checkpoint, on test data where the task has them. The intervals hold together: with several arms
    each is widened so that all of them cover at once with 95 % (Bonferroni).

    Ctrl-C ends it with the seeds that every arm has finished (``complete`` is false).

    Args:
        task: what to train; scikit-learn's digits and a small network by default.
        recipes: name → recipe, the baseline first; no dropout against the guideline's rates by default.
        by: what is compared: the ``loss``, or the task's metric by its name (or ``metric``).
        seeds: how many seeds each arm is trained with, at least 2.
        first_seed: the first of them.
        progress: told of the work; by default a bar where there is a terminal or a notebook to show it.

    Raises:
        InputError: fewer than two recipes, or one that does not fit the model.
    """
    task = task or demo_task()
    check_instance("task", task, Task)
    check_count("seeds", seeds, minimum=2)
    check_count("first_seed", first_seed, minimum=0)
    measure = judged_by(task, by)
    inspected = inspect_model(task)
    recipes = dict(recipes) if recipes is not None else _default_recipes(inspected.sites)
    if len(recipes) < 2:
        raise InputError("recipes must be at least two, the baseline first, got {count}", count=len(recipes))
    for name, recipe in recipes.items():
        check_instance(f"recipes[{name!r}]", recipe, Recipe)
    check_recipes(task, recipes.values())
    engine = LocalEngine(task, progress)
    note_functional(inspected, engine.progress)
    engine.stage("comparison", len(recipes) * seeds)
    level = 1 - 0.05 / (len(recipes) - 1)
    with engine.progress:
        return run_arms(task, recipes, range(first_seed, first_seed + seeds), engine, by=measure, level=level)


def judged_by(task: Task, by: str) -> By:
    """``loss`` or ``metric``, from what the user wrote (the metric's own name is as good)."""
    if by == "loss":
        return "loss"
    known = task.metric if isinstance(task.metric, str) else None
    if task.metric is None or by not in ("metric", known):
        choices = ["loss", *([known or "metric"] if task.metric is not None else [])]
        raise InputError(
            "{name} must be one of {choices}, got {value}",
            name="by",
            choices=", ".join(map(repr, choices)),
            value=repr(by),
        )
    return "metric"


def run_arms(
    task: Task, recipes: Mapping[str, Recipe], seeds: Sequence[int], engine: LocalEngine, *, by: By, level: float
) -> Comparison:
    """Train every arm with every seed, a few seeds at a time, so that an interrupted comparison has whole pairs."""
    trials: dict[str, list[Trial]] = {name: [] for name in recipes}
    complete = True
    at_once = max(1, min(_AT_ONCE // len(recipes), len(seeds) // 2))
    try:
        for index, seed in enumerate(seeds):
            if index % at_once == 0:
                together = [(recipe, s) for s in seeds[index : index + at_once] for recipe in recipes.values()]
                engine.prepare(together, test=True)
            row = {name: engine.run(recipe, [seed], test=True)[0] for name, recipe in recipes.items()}
            for name, trial in row.items():
                trials[name].append(trial)
    except KeyboardInterrupt:
        complete = False
        if not next(iter(trials.values())):
            raise
    arms = tuple(Arm(name, recipe, tuple(trials[name])) for name, recipe in recipes.items())
    on_test = task.test is not None
    values = {arm.name: [_score(trial, by, on_test) for trial in arm.trials] for arm in arms}
    history = arms[0].trials[0].history
    increases = by == "metric" and history.metric_increases
    baseline = values[arms[0].name]
    return Comparison(
        task=task.name,
        by=by,
        metric=history.metric,
        metric_increases=history.metric_increases,
        data="test" if on_test else "validation",
        arms=arms,
        differences={
            arm.name: paired_difference(baseline, values[arm.name], increases=increases, level=level)
            for arm in arms[1:]
        },
        verdicts={arm.name: judge([trial.history for trial in arm.trials], source=arm.name) for arm in arms},
        cost=engine.cost(),
        environment=environment(),
        setup=setup_of(task),
        complete=complete,
    )


def _score(trial: Trial, by: By, on_test: bool) -> float:
    """The value compared; infinitely bad where the trial diverged before its first epoch."""
    score = trial.test if on_test and trial.test is not None else trial.validation
    return score.by(by)


def _default_recipes(found: Sequence[Site]) -> dict[str, Recipe]:
    none = Recipe(rates={site.name: 0.0 for site in found})
    guideline = guideline_recipe(site for site in found if site.place != "output")
    return {"none": none, "guideline": none.with_rates({**none.rates, **guideline.rates})}


def note_functional(inspected: Inspected, progress: Progress) -> None:
    """Say so where the model drops by itself: no arm is without that dropout."""
    if inspected.functional:
        progress.note(
            say(
                "The model calls {functions} itself: no recipe can set that rate, and every arm has it. Use a module "
                "(nn.Dropout) instead.",
                functions=", ".join(sorted(set(inspected.functional))),
            )
        )
