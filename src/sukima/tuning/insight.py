"""What a search has learned of its space: how much each dimension matters, and where it does not matter."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Mapping, Sequence

from sukima.base.imports import require
from sukima.records.pairing import gain_and_noise, paired_gains
from sukima.tuning.distributions import distribution, encode
from sukima.tuning.space import Space
from sukima.tuning.study import Entry

__all__ = ["flat_ranges", "importance"]

_FEWEST = 8
"""Candidates below which nothing is said."""


def importance(space: Space, finished: Sequence[Entry]) -> dict[str, float]:
    """The share of each dimension in what makes candidates differ (fANOVA, Hutter et al. 2014); empty if too few."""
    entries = [e for e in finished if e.value is not None and abs(e.value) != float("inf")]
    varied = [n for n in space.names if len({e.point.get(n) for e in entries}) > 1]
    if len(entries) < _FEWEST or len({entry.value for entry in entries}) < 2 or not varied:
        return {}
    optuna = require("optuna", "torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Optuna's, of features that it calls experimental
        study = optuna.create_study()
        for entry in entries:
            study.add_trial(
                optuna.trial.create_trial(
                    params={name: encode(space[name], entry.point[name]) for name in varied},
                    distributions={name: distribution(space[name]) for name in varied},
                    value=entry.value,
                )
            )
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
        found: dict[str, float] = optuna.importance.get_param_importances(study, evaluator=evaluator)
    return {name: round(float(share), 4) for name, share in found.items()}


def flat_ranges(
    space: Space, finished: Sequence[Entry], values: Mapping[int, Sequence[float]], *, increases: bool
) -> dict[str, tuple[float, float]]:
    """For each rate the range around the best within which candidates cannot be told from it.

    Args:
        space: its rates are looked at.
        finished: candidates, best first.
        values: number → the value of each seed.
        increases: whether larger values are better.

    Returns:
        Name of the dimension → lowest and highest rate of the unbroken run of rates that were tried, around the best
        one, at each of which some candidate is within the noise of the best. Only where there are at least two.
    """
    if not finished or len(values.get(finished[0].number, ())) < 2:
        return {}
    best = finished[0]
    found: dict[str, tuple[float, float]] = {}
    equal = [
        e for e in finished if e.number in values and _cannot_be_told(values[best.number], values[e.number], increases)
    ]
    for dimension in space.dimensions:
        if dimension.field != "rate" or dimension.name not in best.point:
            continue
        tried = sorted({float(e.point[dimension.name]) for e in finished})
        good = {float(e.point[dimension.name]) for e in equal}
        for is_good, group in itertools.groupby(tried, key=lambda rate: rate in good):
            run = list(group)
            if is_good and float(best.point[dimension.name]) in run and len(run) > 1:
                found[dimension.name] = (run[0], run[-1])
    return found


def _cannot_be_told(best: Sequence[float], other: Sequence[float], increases: bool) -> bool:
    """Whether the loss against the best is within one standard error of it."""
    gain, noise = gain_and_noise(paired_gains(best, other, increases=increases))
    return -gain <= noise
