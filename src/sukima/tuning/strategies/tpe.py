"""Tree-structured Parzen estimators (Bergstra et al. 2011), in Optuna's form: points like the good ones so far."""

from __future__ import annotations

from collections.abc import Sequence

from sukima.tuning.sampling import proposals
from sukima.tuning.space import Point, Space
from sukima.tuning.study import Entry

__all__ = ["propose_tpe"]


def propose_tpe(space: Space, known: Sequence[Entry], count: int, *, seed: int, increases: bool) -> list[Point]:
    """``count`` points for the numbers after the known ones.

    All dimensions are modelled together, and points of the same batch keep away from each other.
    """
    startup = max(8, 2 * len(space.dimensions))

    def sampler(optuna: object, own: int) -> object:
        return optuna.samplers.TPESampler(  # type: ignore[attr-defined]  # the module, imported only when needed
            seed=own, multivariate=True, constant_liar=True, n_startup_trials=startup, warn_independent_sampling=False
        )

    return proposals(sampler, space, known, count, seed, increases)
