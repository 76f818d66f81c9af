"""Tune with a training loop of your own: anything that takes a recipe and says how good it was."""

from __future__ import annotations

from typing import Any

from sukima.base.checks import check_choice, check_count, check_instance
from sukima.base.errors import InputError
from sukima.engines.progress import Progress, default_progress
from sukima.records.result import TuneResult
from sukima.tuning.deadline import Deadline, seconds_of
from sukima.tuning.space import Space
from sukima.tuning.study import Study
from sukima.workflow.environment import environment
from sukima.workflow.objective_report import Objective
from sukima.workflow.objective_search import STRATEGIES, ObjectiveSearch

__all__ = ["tune_objective"]


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
        budget: how long all of it may take: ``"10min"``, ``"1.5h"``, or seconds. Half of it at most is kept for the
            end, which has fewer candidates and seeds where that is not enough, and is left out where it cannot be had.
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
    check_choice("strategy", strategy, STRATEGIES)
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
    search = ObjectiveSearch(
        objective,
        kept,
        deadline,
        strategy=strategy,
        increases=increases,
        prune=prune,
        seed=first_seed,
        confirm_seeds=confirm_seeds,
        progress=progress or default_progress(),
    )
    return search.result(trials)
