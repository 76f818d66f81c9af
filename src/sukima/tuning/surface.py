"""The surface: a smooth curve through all candidates, and where it is best.

The best of many candidates is partly lucky, and a climb that moves only for a gain beyond noise stops early where the
optimum is flat. A Gaussian process through everything that was tried (Rasmussen & Williams 2006) averages that noise
out: where it is best, several neighbours are good.
"""

from __future__ import annotations

import itertools
import random
import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sukima.base.imports import require
from sukima.tuning.dimension import Dimension, Value
from sukima.tuning.space import Point, Space
from sukima.tuning.study import Entry

__all__ = ["best_of_surface"]

_ENOUGH = 5
"""Different candidates without which there is no surface."""

_MOST = 4000
"""Points at which it is looked at; of larger spaces a sample, and the neighbours of the best candidates."""


def best_of_surface(space: Space, finished: Sequence[Entry], *, increases: bool) -> Point | None:
    """Where the surface through the candidates is best, among the points between those that were tried.

    Args:
        space: where they lie.
        finished: candidates with their values, best first.
        increases: whether larger values are better.

    Returns:
        The point, which may be one that was tried; ``None`` where too few were.
    """
    known = {repr(sorted(e.point.items())): e for e in finished if e.value is not None and np.isfinite(e.value)}
    if len(known) < _ENOUGH:
        return None
    values = np.array([float(e.value or 0.0) for e in known.values()])
    losses = -values if increases else values
    # What is far worse says that it is, not how the surface is bent where it is good.
    losses = np.minimum(losses, np.median(losses) + (np.median(losses) - losses.min()))
    if np.ptp(losses) == 0:
        return None
    places = _places(space, [e.point for e in known.values()])
    kernels = require("sklearn.gaussian_process.kernels", "torch")
    process = require("sklearn.gaussian_process", "torch").GaussianProcessRegressor(
        kernels.ConstantKernel(1.0, (0.1, 10.0)) * kernels.RBF(0.5, (0.2, 2.0)) + kernels.WhiteKernel(0.1, (1e-4, 1.0)),
        normalize_y=True,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a kernel's parameter at the end of its range is as good as any
        process.fit(places, losses)
    points = _points(space, [e.point for e in known.values()])
    return points[int(np.argmin(process.predict(_places(space, points))))]


def _points(space: Space, tried: Sequence[Point]) -> list[Point]:
    """Where to look: inside of what was tried, as a surface says nothing of what lies beyond."""
    ranges = [_between(d, [point[d.name] for point in tried]) for d in space.dimensions]
    if np.prod([float(len(values)) for values in ranges]) <= _MOST:
        every = list(itertools.product(*ranges))
    else:
        chance = random.Random(0)
        drawn = [tuple(chance.choice(values) for values in ranges) for _ in range(_MOST)]
        moved = [
            (*here[:i], value, *here[i + 1 :])
            for here in (tuple(point[name] for name in space.names) for point in tried[:10])
            for i, values in enumerate(ranges)
            for value in values
        ]
        every = drawn + moved
    return [dict(zip(space.names, values, strict=True)) for values in every]


def _between(dimension: Dimension, tried: Sequence[Value]) -> list[Value]:
    if not _ordered(dimension):
        return [value for value in dimension.values if value in tried]
    places = [dimension.values.index(value) for value in tried]
    return list(dimension.values[min(places) : max(places) + 1])


def _places(space: Space, points: Sequence[Point]) -> NDArray[np.float64]:
    """Points as rows of numbers: what has an order from 0 to 1, each choice of the rest by itself."""
    columns: list[list[float]] = []
    for dimension in space.dimensions:
        values = list(dimension.values)
        indices = [values.index(point[dimension.name]) for point in points]
        if _ordered(dimension):
            columns.append([index / max(1, len(values) - 1) for index in indices])
        else:
            columns += [[float(index == choice) for index in indices] for choice in range(len(values))]
    return np.array(columns).T


def _ordered(dimension: Dimension) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in dimension.values)
