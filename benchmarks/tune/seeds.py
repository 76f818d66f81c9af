"""More points or more seeds? What a search is worth, by how its trainings are spent.

    python benchmarks/tune/seeds.py --tasks digits mnist-1k --seeds 6 3

A full grid of rates is trained with several seeds (kept in ``seeds.json``). A smooth fit of its means is then taken for
the truth, and what differs from seed to seed at a point for the noise. Searches are drawn from both: candidates, evenly
drawn beside the two references, with a value for each seed; then three finalists (the best, the best of a surface, the
guideline) with four fresh values, of which the best wins. Shown is how far above the best point of the grid it lies.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from tasks import TASKS, make_task, space_of

from sukima.engines.local import LocalEngine
from sukima.tuning.space import Point, Space
from sukima.tuning.study import Entry
from sukima.tuning.surface import best_of_surface

RESULTS = Path(__file__).with_suffix(".json")
RATES = [round(0.1 * step, 1) for step in range(10)]
SPENT = [(24, 1), (12, 2), (8, 3), (12, 1), (36, 1), (18, 2), (12, 3)]
FRESH, REPEATS = 4, 200

Values = npt.NDArray[np.float64]


def collect(name: str, seeds: int) -> list[list[float]]:
    """The validation loss of every point of the grid, with each seed."""
    task = make_task(name, 0)
    space = space_of(task)
    recipes = [space.recipe(point) for point in points_of(space)]
    with LocalEngine(task) as engine:
        engine.stage(name, len(recipes) * seeds)
        engine.prepare([(recipe, seed) for seed in range(seeds) for recipe in recipes])
        return [[trial.validation.loss for trial in engine.run(recipe, range(seeds))] for recipe in recipes]


def points_of(space: Space) -> list[Point]:
    """The grid."""
    return [dict(zip(space.names, rates, strict=True)) for rates in itertools.product(RATES, repeat=len(space.names))]


class Truth:
    """A smooth fit of the grid, and its noise."""

    def __init__(self, space: Space, losses: Values) -> None:
        self.space, self.points = space, points_of(space)
        means = losses.mean(1)
        places = np.array([list(point.values()) for point in self.points], float)
        kernel = ConstantKernel() * RBF(0.4, (0.2, 2)) + WhiteKernel(0.1)
        fit = GaussianProcessRegressor(kernel, normalize_y=True).fit(places, np.minimum(means, np.quantile(means, 0.6)))
        self.losses: Values = fit.predict(places)
        rest = losses - means[:, None] - (losses.mean(0) - losses.mean())
        self.noise = float(np.sqrt((rest**2).mean() * losses.shape[1] / (losses.shape[1] - 1)))

    def search(self, candidates: int, seeds: int, chance: np.random.Generator) -> float:
        """How far above the best point the winner of one search lies."""
        none, usual = self.space.nothing(), self.space.usual()
        chosen = [none, usual]
        while len(chosen) < candidates:
            if (point := self.points[chance.integers(len(self.points))]) not in chosen:
                chosen.append(point)
        values = [self.seen(point, seeds, chance) for point in chosen]
        ranked = [chosen[place] for place in np.argsort(values)]
        entries = [
            Entry(number, p, "complete", value) for number, (p, value) in enumerate(zip(chosen, values, strict=True))
        ]
        surface = best_of_surface(self.space, sorted(entries, key=lambda e: e.value or 0.0), increases=False)
        finalists: list[Point] = []
        for point in [ranked[0], *([self.near(surface)] if surface else []), usual, *ranked[1:]]:
            if point not in [none, *finalists]:
                finalists.append(point)
        won = min(finalists[:3], key=lambda point: self.seen(point, FRESH, chance))
        return float(self.losses[self.points.index(won)] - self.losses.min())

    def near(self, point: Point) -> Point:
        """The point of the grid that is nearest."""
        return {name: min(RATES, key=lambda rate: abs(rate - float(value) + 1e-6)) for name, value in point.items()}

    def seen(self, point: Point, seeds: int, chance: np.random.Generator) -> float:
        """A mean over seeds, as training would give it."""
        return float(self.losses[self.points.index(point)] + self.noise * chance.normal() / seeds**0.5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=["digits", "mnist-1k"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[6, 3], help="for each task")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # a kernel's parameter at the end of its range
    known: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    for name, seeds in zip(arguments.tasks, arguments.seeds, strict=True):
        if name not in known:
            known[name] = collect(name, seeds)
            RESULTS.write_text(json.dumps(known), encoding="utf-8")
        truth = Truth(space_of(make_task(name, 0)), np.array(known[name]))
        print(f"\n{name}: noise {truth.noise:.4f}\n| candidates | seeds | above the best |\n|---|---|---|")
        for candidates, each in SPENT:
            chance = np.random.default_rng(0)
            found = [truth.search(candidates, each, chance) for _ in range(REPEATS)]
            spread = statistics.stdev(found) / REPEATS**0.5
            print(f"| {candidates} | {each} | {statistics.fmean(found):.4f} ± {spread:.4f} |")


if __name__ == "__main__":
    main()
