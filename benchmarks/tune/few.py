"""Few costly candidates: which strategy finds most, and how many seeds should confirm the finalists?

    python benchmarks/tune/few.py --tasks cifar shakespeare --splits 7 5 --points 60 40

Points drawn from the space were trained with two seeds (kept in ``few.json`` with their curves), on splits of the data
that no other benchmark used then (Shakespeare's has become the sixth repeat of ``peers.py``). A smooth fit of their
losses after a quarter, after half and at the end of training is taken for the truth, and what differs from seed to
seed, with its correlation, for the noise. Searches are drawn from both: two workers have time for so many rounds of one
training each until the winner is chosen, the baseline's and the guideline's among them. Shown is how far above the best
point of the space the winner lies. ``peer`` is TPE with so many whole trainings and the best value that it saw, as a
tuner finds it that trains one candidate at a time.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import random
import statistics
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import optuna
import torch
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from tasks import TASKS, make_task, space_of

from sukima.engines.local import LocalEngine
from sukima.tuning.sampling import Proposer
from sukima.tuning.space import Point, Space
from sukima.tuning.strategies.gp import propose_gp
from sukima.tuning.strategies.halving import bracket, survivors
from sukima.tuning.strategies.tpe import propose_tpe
from sukima.tuning.study import Entry

RESULTS = Path(__file__).with_suffix(".json")
RATES = [round(0.1 * step, 1) for step in range(10)]
SEEDS = 2
EPOCHS = 100
"""Of a training, where only its quarters matter."""

WORKERS = 2

Values = npt.NDArray[np.float64]


def collect(name: str, split: int, count: int) -> dict[str, Any]:
    """Points with the validation losses of every epoch, for each seed."""
    task = make_task(name, split)
    space, chance = space_of(task), random.Random(1)
    points = [space.nothing(), space.usual()]
    every = [dict(zip(space.names, rates, strict=True)) for rates in itertools.product(RATES, repeat=len(space.names))]
    others = [point for point in every if point not in points]
    chance.shuffle(others)
    points += others[: count - 2]
    recipes = [space.recipe(point) for point in points]
    with LocalEngine(task) as engine:
        engine.stage(name, len(recipes) * SEEDS)
        engine.prepare([(recipe, seed) for seed in range(SEEDS) for recipe in recipes])
        curves = [[list(t.history.validation_loss) for t in engine.run(recipe, range(SEEDS))] for recipe in recipes]
    return {"points": [list(point.values()) for point in points], "curves": curves}


class Truth:
    """Smooth losses after a quarter, after half and at the end of training, and their noise."""

    def __init__(self, space: Space, data: dict[str, Any]) -> None:
        self.space = space
        places = np.array(data["points"], float)
        whole = len(data["curves"][0][0])
        ends = [round(whole / 4), round(whole / 2), whole]
        seen = np.array([[[min(curve[:end]) for end in ends] for curve in seeds] for seeds in data["curves"]])
        means = seen.mean(1)
        rest = seen - means[:, None] - (seen.mean(0) - seen.mean((0, 1)))
        good = means[:, 2] < np.quantile(means[:, 2], 0.7)  # what is far from good is noisier, and does not matter
        rest = rest[good].reshape(-1, 3) * math.sqrt(SEEDS / (SEEDS - 1))
        self.noise: Values = rest.T @ rest / len(rest)
        self.points = [
            dict(zip(space.names, p, strict=True)) for p in itertools.product(*[d.values for d in space.dimensions])
        ]
        self._index = {_key(point): place for place, point in enumerate(self.points)}
        grid = np.array([list(point.values()) for point in self.points], float)
        kernel = ConstantKernel() * RBF([0.4] * places.shape[1], (0.15, 2)) + WhiteKernel(0.1)
        self.losses: Values = np.stack(
            [
                GaussianProcessRegressor(kernel, normalize_y=True, n_restarts_optimizer=2, random_state=0)
                .fit(places, np.minimum(stage, np.quantile(stage, 0.8)))
                .predict(grid)
                for stage in means.T
            ],
            1,
        )

    def train(self, point: Point, chance: np.random.Generator) -> Values:
        """What one training shows at its quarter, its half and its end."""
        return np.asarray(self.losses[self._index[_key(point)]] + chance.multivariate_normal(np.zeros(3), self.noise))

    def above_best(self, point: Point) -> float:
        """How far from the best point it lies."""
        return float(self.losses[self._index[_key(point)], 2] - self.losses[:, 2].min())


@dataclass(frozen=True)
class Policy:
    """How a search spends its time.

    Attributes:
        propose: where candidates come from.
        batch: how many are proposed together.
        halves: whether the worse half is given up on the way.
        finalists: how many there are.
        fresh: the seeds with which they are trained again.
        pooled: whether the search's run of a finalist counts as well.
        alone: whether finalists are compared with each other alone, not with the baseline and the guideline.
    """

    propose: Proposer
    batch: int
    halves: bool
    finalists: int
    fresh: int
    pooled: bool
    alone: bool = False

    def winner(self, truth: Truth, rounds: float, chance: np.random.Generator) -> Point:
        """Of one search."""
        none, usual = truth.space.nothing(), truth.space.usual()
        confirming = math.ceil((self.finalists + (not self.alone)) * self.fresh / WORKERS)
        ran = {_key(point): truth.train(point, chance) for point in (none, usual)}
        entries = [Entry(n, point, "complete", float(ran[_key(point)][2])) for n, point in enumerate((none, usual))]
        left, seed = rounds - 1 - confirming, int(chance.integers(1 << 30))
        for number in itertools.count():
            rungs = bracket(number, EPOCHS) if self.halves else []
            share = {2: 0.5, 1: 0.75, 0: 1.0}[len(rungs)]
            count = min(self.batch, int(0.85 * left * WORKERS / share))
            if count < 2:
                break
            points = self.propose(truth.space, entries, count, seed=seed, increases=False)
            left -= self._batch(truth, points, rungs, entries, ran, chance)
        best = sorted((e for e in entries if e.state == "complete"), key=lambda entry: entry.value or 0.0)
        if self.alone:
            chosen = list({_key(entry.point): entry.point for entry in best}.values())[: self.finalists]
        else:
            named = {_key(point): point for point in (best[0].point, usual, *(entry.point for entry in best))}
            named.pop(_key(none), None)
            chosen = [none, *list(named.values())[: self.finalists]]
        return min(chosen, key=lambda point: self._confirmed(truth, point, ran, chance))

    def _batch(
        self,
        truth: Truth,
        points: list[Point],
        rungs: list[int],
        entries: list[Entry],
        ran: dict[str, Values],
        chance: np.random.Generator,
    ) -> float:
        """Train a batch; gives the rounds that it takes."""
        first = len(entries)
        seen = {first + place: truth.train(point, chance) for place, point in enumerate(points)}
        entries += [Entry(first + place, point) for place, point in enumerate(points)]
        going, took, begun = list(seen), 0.0, 0
        for end in (*rungs, EPOCHS):
            # Candidates stay with the worker that began with them.
            took += max(sum(n % WORKERS == w for n in going) for w in range(WORKERS)) * (end - begun) / EPOCHS
            begun, stage = end, min(2, math.ceil(4 * end / EPOCHS) - 1)
            kept = survivors({n: float(seen[n][stage]) for n in going}, increases=False) if end < EPOCHS else going
            for n in going:
                if end == EPOCHS:
                    entries[n] = replace(entries[n], state="complete", value=float(seen[n][2]))
                    ran.setdefault(_key(entries[n].point), seen[n])
                elif n not in kept:
                    entries[n] = replace(entries[n], state="pruned", reports={end: float(seen[n][stage])})
            going = kept
        return took

    def _confirmed(self, truth: Truth, point: Point, ran: dict[str, Values], chance: np.random.Generator) -> float:
        values = [float(truth.train(point, chance)[2]) for _ in range(self.fresh)]
        return statistics.fmean([*values, float(ran[_key(point)][2])] if self.pooled else values)


def peer(truth: Truth, trials: int, chance: np.random.Generator) -> Point:
    """The best of so many points from TPE, one at a time."""
    entries: list[Entry] = []
    seed = int(chance.integers(1 << 30))
    for number in range(trials):
        point = propose_tpe(truth.space, entries, 1, seed=seed, increases=False)[0]
        entries.append(Entry(number, point, "complete", float(truth.train(point, chance)[2])))
    return min(entries, key=lambda entry: entry.value or 0.0).point


POLICIES = {
    "halving, two finalists with two fresh seeds": Policy(propose_tpe, 12, True, 2, 2, False),
    "halving, three with one fresh seed and the search's": Policy(propose_tpe, 12, True, 3, 1, True),
    "tpe, four at a time, the same": Policy(propose_tpe, 4, False, 3, 1, True),
    "gp, four at a time, the same": Policy(propose_gp, 4, False, 3, 1, True),
    "gp, two finalists with two fresh seeds": Policy(propose_gp, 4, False, 2, 2, False),
    "gp, the best two with one fresh seed and the search's": Policy(propose_gp, 4, False, 2, 1, True, alone=True),
}


def _key(point: Point) -> str:
    return repr([round(float(value), 3) for value in point.values()])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=["cifar", "shakespeare"])
    parser.add_argument("--splits", nargs="+", type=int, default=[7, 5], help="of the data, for each task")
    parser.add_argument("--points", nargs="+", type=int, default=[60, 40], help="to be trained, for each task")
    parser.add_argument("--rounds", nargs="+", type=float, default=[10.0])
    parser.add_argument("--peer-trials", nargs="+", type=int, default=[20])
    parser.add_argument("--searches", type=int, default=60)
    parser.add_argument("--policies", nargs="+", choices=["peer", *POLICIES], default=["peer", *POLICIES])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")  # a kernel's parameter at the end of its range
    known: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    for name, split, points in zip(arguments.tasks, arguments.splits, arguments.points, strict=True):
        if name not in known:
            known[name] = collect(name, split, points)
            RESULTS.write_text(json.dumps(known), encoding="utf-8")
        truth = Truth(space_of(make_task(name, split)), known[name])
        none, usual = (truth.above_best(p) for p in (truth.space.nothing(), truth.space.usual()))
        print(f"\n{name}: noise {truth.noise[2, 2] ** 0.5:.4f}; above the best: none {none:.4f}, guideline {usual:.4f}")
        ways: dict[str, Callable[[np.random.Generator], Point]] = {}
        if "peer" in arguments.policies:
            for trials in arguments.peer_trials:
                ways[f"peer with {trials}"] = lambda chance, t=truth, n=trials: peer(t, n, chance)
        chosen = {title: policy for title, policy in POLICIES.items() if title in arguments.policies}
        for rounds, (title, policy) in itertools.product(arguments.rounds, chosen.items()):
            ways[f"{rounds:g} rounds: {title}"] = lambda chance, t=truth, p=policy, r=rounds: p.winner(t, r, chance)
        for title, way in ways.items():
            found = [truth.above_best(way(np.random.default_rng(seed))) for seed in range(arguments.searches)]
            spread = statistics.stdev(found) / len(found) ** 0.5
            print(f"| {title} | {statistics.fmean(found):.4f} ± {spread:.4f} |", flush=True)


if __name__ == "__main__":
    main()
