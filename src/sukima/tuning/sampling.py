"""Points from Optuna's samplers, as pure functions of what is known.

A sampler that is asked again after an interruption would draw other numbers than one that was not interrupted. So each
proposal comes from a new sampler, seeded by the study's seed and the candidate's number, which is shown the candidates
before its batch in the order of their numbers.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from sukima.base.imports import require
from sukima.engines.seeds import derive_seed
from sukima.tuning.distributions import decode, distribution, encode
from sukima.tuning.space import Point, Space
from sukima.tuning.study import Entry

__all__ = ["Proposer", "proposals"]


class Proposer(Protocol):
    """Proposes ``count`` points for the numbers after the known ones."""

    def __call__(self, space: Space, known: Sequence[Entry], count: int, *, seed: int, increases: bool) -> list[Point]:
        """The points."""
        ...


def proposals(
    sampler: Callable[[Any, int], Any], space: Space, known: Sequence[Entry], count: int, seed: int, increases: bool
) -> list[Point]:
    """``count`` points for the numbers after the known ones; ``sampler(optuna, seed)`` makes a sampler."""
    optuna = require("optuna", "torch")
    states = {"complete": "COMPLETE", "pruned": "PRUNED", "failed": "FAIL", "waiting": "RUNNING"}
    distributions = {dimension.name: distribution(dimension) for dimension in space.dimensions}
    found: list[Point] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Optuna's, of features that it calls experimental
        study = optuna.create_study(direction="maximize" if increases else "minimize")
        for entry in known:
            study.add_trial(
                optuna.trial.create_trial(
                    state=getattr(optuna.trial.TrialState, states[entry.state]),
                    params={name: encode(space[name], value) for name, value in entry.point.items()},
                    distributions={name: distributions[name] for name in entry.point},
                    value=entry.value if entry.state == "complete" else None,
                    intermediate_values=entry.reports,
                )
            )
        for number in range(len(known), len(known) + count):
            study.sampler = sampler(optuna, derive_seed(seed, "proposal", number) & 0xFFFFFFFF)
            trial = study.ask(distributions)
            found.append({name: decode(space[name], value) for name, value in trial.params.items()})
    return found
