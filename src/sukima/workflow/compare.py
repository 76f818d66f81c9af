"""Compare: recipes side by side on one task, with paired seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from sukima.base.checks import check_count, check_instance
from sukima.base.errors import InputError
from sukima.base.messages import Message, say
from sukima.comparison.effects import effects_of, given_loss
from sukima.comparison.experiment import Experiment
from sukima.comparison.plan import ArmPlan, default_plans, plans_of
from sukima.comparison.runs import RunFile
from sukima.comparison.statistics import paired_difference
from sukima.diagnosis.verdict import judge
from sukima.engines.choose import framework
from sukima.engines.engine import Engine
from sukima.engines.inspected import Inspected
from sukima.engines.progress import Progress, default_progress
from sukima.records.recipe import Recipe
from sukima.records.result import Arm, Comparison, Cost, Trial
from sukima.records.task import By, Task, setup_of
from sukima.tuning.deadline import BudgetSpentError
from sukima.workflow.demo import demo_task
from sukima.workflow.environment import environment

__all__ = ["compare", "judged_by", "note_functional", "run_arms"]

_FEW = 3
"""Seeds up to which all runs go at once: half of them would leave cores idle, and a pair or two say little."""


def compare(
    task: Task | None = None,
    recipes: Mapping[str, Recipe] | None = None,
    *,
    by: str = "loss",
    seeds: int = 5,
    first_seed: int = 0,
    effects: bool = True,
    runs: str | Path | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Train recipes side by side and say which differ from the first, with intervals.

    Every arm is trained with the same seeds (the same initial weights and order of data) and judged at its own
    best-validation checkpoint, on test data where the task has them. The intervals hold together: with several arms
    each is widened so that all of them cover at once with 95 % (Bonferroni).

    Besides the loss (or metric) the arms are compared in what else regularization does: the gap, robustness to noise
    on the inputs, calibration, co-adaptation of units, sparsity of weights, epochs and time to a given loss, and what
    averaging many masked passes would bring (see `sukima.records.result.Comparison.effects`).

    Ctrl-C ends it with the seeds that every arm has finished (``complete`` is false).

    Args:
        task: what to train; scikit-learn's digits and a small network by default.
        recipes: name → recipe, the baseline first. By default the usual ways to regularize: none, the guideline's
            dropout, L1, L2, elastic net, early stopping, batch normalisation, augmentation, a smaller model, twice the
            data where the task has ``spare`` rows, an ensemble, and dropout with several of them. A single recipe is
            compared beside those.
        by: what is compared: the ``loss``, or the task's metric by its name (or ``metric``).
        seeds: how many seeds each arm is trained with, at least 2.
        first_seed: the first of them.
        effects: whether to measure what regularization does besides, which takes many passes over the test data.
        runs: a file in which finished runs are kept (JSON lines). Those that it has of this task are not trained
            again, so that a comparison that was stopped goes on where it was.
        progress: told of the work; by default a bar where there is a terminal or a notebook to show it.

    Raises:
        InputError: no recipe, or one that does not fit the model.
    """
    task = task or demo_task()
    check_instance("task", task, Task)
    check_count("seeds", seeds, minimum=2)
    check_count("first_seed", first_seed, minimum=0)
    measure = judged_by(task, by)
    progress = progress or default_progress()
    inspected = framework(task).inspect_model(task)
    plans, left_out = _plans(task, inspected, recipes)
    note_functional(inspected, progress)
    experiment = Experiment(plans, range(first_seed, first_seed + seeds), progress, RunFile(runs), effects=effects)
    if experiment.reused:
        progress.note(say("{count} runs of before are taken from {path}.", count=experiment.reused, path=runs))
    progress.stage("compare", experiment.trials)
    complete = True
    with progress:
        try:
            experiment.run()
        except KeyboardInterrupt:
            complete = False
            if not experiment.arms():
                raise
    level = 1 - 0.05 / max(len(plans) - 1, 1)
    return _judged(
        task, experiment.arms(), by=measure, level=level, cost=experiment.cost(), complete=complete, left_out=left_out
    )


def _plans(
    task: Task, inspected: Inspected, recipes: Mapping[str, Recipe] | None
) -> tuple[dict[str, ArmPlan], dict[str, Message]]:
    """What is to be trained, and what the task does not allow; a single recipe stands beside the default ones."""
    given = dict(recipes) if recipes is not None else {}
    if recipes is not None and not given:
        raise InputError("recipes must be at least one, got none")
    for name, recipe in given.items():
        check_instance(f"recipes[{name!r}]", recipe, Recipe)
    framework(task).check_recipes(task, given.values())
    if len(given) > 1:
        return plans_of(task, given), {}
    usual, left_out = default_plans(task, inspected.sites)
    if taken := given.keys() & usual.keys():
        raise InputError("recipes: the name {name} is taken by a default recipe", name=repr(min(taken)))
    return {**usual, **plans_of(task, given)}, left_out


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
    task: Task,
    recipes: Mapping[str, Recipe],
    seeds: Sequence[int],
    engine: Engine,
    *,
    by: By,
    level: float,
    test: bool = True,
    sampled: bool = False,
) -> Comparison:
    """Train every arm with every seed; more than a few seeds in two parts, so that an interrupted comparison has pairs.

    Where the budget is spent, it ends with the pairs that there are. Without ``test`` the test data are not touched.
    With ``sampled``, training curves are those of a sample of the rows, and there is no verdict on them.
    """
    complete = True
    at_once = len(seeds) if len(seeds) <= _FEW else math.ceil(len(seeds) / 2)
    try:
        for begin in range(0, len(seeds), at_once):
            together = seeds[begin : begin + at_once]
            order = [(recipe, seed) for seed in together for recipe in recipes.values()]
            engine.prepare(order, test=test, sampled=sampled)
    except (KeyboardInterrupt, BudgetSpentError) as end:
        complete = isinstance(end, BudgetSpentError)  # it is all that was asked for
        known = [s for s in seeds if all(engine.known((recipe, s), test=test) for recipe in recipes.values())]
        if not known:
            raise
        seeds = known
    trials = {name: engine.run(recipe, seeds, test=test) for name, recipe in recipes.items()}
    arms = tuple(Arm(name, recipe, trials[name]) for name, recipe in recipes.items())
    return _judged(
        task,
        arms,
        by=by,
        level=level,
        cost=engine.cost(),
        complete=complete,
        left_out={},
        on_test=test,
        has_whole_curves=not sampled,
    )


def _judged(
    task: Task,
    arms: Sequence[Arm],
    *,
    by: By,
    level: float,
    cost: Cost,
    complete: bool,
    left_out: Mapping[str, Message],
    on_test: bool = True,
    has_whole_curves: bool = True,
) -> Comparison:
    """What trained arms say, with intervals of coverage ``level`` each, and verdicts where curves are of all rows."""
    on_test = on_test and task.test is not None
    history = arms[0].trials[0].history
    increases = by == "metric" and history.metric_increases
    baseline = {trial.seed: _score(trial, by, on_test) for trial in arms[0].trials}
    goal = given_loss(arms[0])
    return Comparison(
        task=task.name,
        by=by,
        metric=history.metric,
        metric_increases=history.metric_increases,
        data="test" if on_test else "validation",
        arms=tuple(arms),
        differences={
            arm.name: paired_difference(
                [baseline[seed] for seed in arm.seeds],
                [_score(trial, by, on_test) for trial in arm.trials],
                increases=increases,
                level=level,
            )
            for arm in arms[1:]
        },
        verdicts={
            arm.name: judge(histories, source=arm.name)
            for arm in arms
            if has_whole_curves and (histories := [trial.history for trial in arm.trials if trial.epoch])
        },
        cost=cost,
        environment=environment(),
        setup=setup_of(task),
        complete=complete,
        effects=effects_of(arms, by, "test" if on_test else "validation", goal, level),
        given_loss=goal,
        left_out=dict(left_out),
    )


def _score(trial: Trial, by: By, on_test: bool) -> float:
    """The value compared; infinitely bad where the trial diverged before its first epoch."""
    score = trial.test if on_test and trial.test is not None else trial.validation
    return score.by(by)


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
