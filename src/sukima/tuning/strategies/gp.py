"""A Gaussian process with expected improvement (Jones et al. 1998), in Optuna's form: the most from few candidates.

Each is trained to its end, as one that was given up tells the process nothing, and batches are small, so that what one
has shown guides the next. The first of them have dropout in a part of the network.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from sukima.base.imports import require
from sukima.tuning.sampling import proposals
from sukima.tuning.search import Search
from sukima.tuning.space import Point, Space
from sukima.tuning.strategies.batches import search_in_batches
from sukima.tuning.strategies.parts import parts
from sukima.tuning.study import Entry

__all__ = ["gp", "propose_gp"]

_BATCH = 4
"""Candidates proposed together, at least."""

_DRAWN = 5
"""Candidates that must have ended before the process is asked; until then, behind the parts, they are drawn."""


def gp(search: Search) -> None:
    """Search until there are as many candidates as it may have.

    Where time is limited no worker is left idle: a batch is a multiple of their number.
    """
    workers = 1 if search.deadline.seconds is None else search.engine.workers
    size = math.ceil(_BATCH / workers) * workers
    search_in_batches(search, propose_gp, size=size, least=workers, step=workers)


def propose_gp(space: Space, known: Sequence[Entry], count: int, *, seed: int, increases: bool) -> list[Point]:
    """``count`` points for the numbers after the known ones; those of a batch keep away from each other."""
    require("torch", "torch")  # Optuna computes the process with it
    from sukima.engines.torch.threads import one_thread

    tried = [entry.point for entry in known]
    first = [point for point in parts(space) if point not in tried][:count]
    known = [*known, *(Entry(number, point) for number, point in enumerate(first, len(known)))]

    def sampler(optuna: object, own: int) -> object:
        return optuna.samplers.GPSampler(  # type: ignore[attr-defined]  # the module, imported only when needed
            seed=own, n_startup_trials=_DRAWN, warn_independent_sampling=False
        )

    with one_thread():  # several gain nothing here, and took eight times as long on a busy machine
        return first + proposals(sampler, space, known, count - len(first), seed, increases)
