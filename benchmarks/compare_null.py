"""How often does a comparison claim a difference where there is none?

The same recipe is trained with many seeds; two arms are then drawn from these runs without putting any back, paired at
random, and compared as `sukima compare` compares arms. The 95 % interval should exclude zero in 4 to 6 % of the cases,
for the loss and the metric, with few seeds and with many; and of the default number of arms against one baseline, all
intervals should hold together in at least 95 %.

    python benchmarks/compare_null.py [runs]

Runs that are finished are kept in compare_null.runs.jsonl beside this file; another start goes on from there.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from sukima.comparison.plan import default_plans
from sukima.comparison.runs import RunFile
from sukima.comparison.statistics import paired_difference
from sukima.engines.local import LocalEngine
from sukima.engines.torch.inspect import inspect_model
from sukima.records.result import Trial
from sukima.workflow.demo import demo_task

RECIPES = ("none", "dropout")
RUNS, COMPARISONS, SEEDS, ARMS = 64, 2000, (3, 5, 10), 14
HERE = Path(__file__).parent


def trained(recipe: str, count: int) -> list[Trial]:
    """So many runs of one recipe on digits."""
    task = demo_task()
    plan = default_plans(task, inspect_model(task).sites)[0][recipe]
    file = RunFile(HERE / "compare_null.runs.jsonl")
    engine = LocalEngine(task)
    engine.on_trial = lambda trial, _test: file.add(file.name(plan, trial.seed), trial)
    for seed in range(count):
        if (known := file.get(file.name(plan, seed))) is not None:
            engine.remember(known, test=True)
    return list(engine.run(plan.recipe, range(count), test=True))


def claimed(values: np.ndarray, seeds: int, rng: np.random.Generator) -> float:
    """Share of comparisons whose 95 % interval excludes zero."""
    count = 0
    for _ in range(COMPARISONS):
        drawn = rng.choice(values, 2 * seeds, replace=False)
        count += paired_difference(drawn[:seeds].tolist(), drawn[seeds:].tolist()).outcome != "no difference"
    return count / COMPARISONS


def claimed_together(values: np.ndarray, seeds: int, rng: np.random.Generator) -> float:
    """Share of comparisons of many arms with one baseline in which any interval excludes zero."""
    count = 0
    for _ in range(COMPARISONS // 4):
        base, *arms = (rng.choice(values, seeds, replace=False).tolist() for _ in range(ARMS))
        found = (paired_difference(base, arm, level=1 - 0.05 / (ARMS - 1)).outcome for arm in arms)
        count += any(outcome != "no difference" for outcome in found)
    return count / (COMPARISONS // 4)


def main() -> None:
    """Train, resample, print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    rng = np.random.default_rng(0)
    outside = 0
    for recipe in RECIPES:
        scores = [trial.test for trial in trained(recipe, count)]
        for measure in ("loss", "metric"):
            values = np.array([getattr(score, measure) for score in scores])
            for seeds in SEEDS:
                share = claimed(values, seeds, rng)
                outside += not 0.04 <= share <= 0.06
                together = claimed_together(values, seeds, rng)
                print(
                    f"{recipe:8s} {measure:6s} {count} runs, {seeds:2d} seeds: excludes zero in {100 * share:.1f} % of "
                    f"{COMPARISONS}; any of {ARMS - 1} corrected intervals in {100 * together:.1f} %"
                )
    print(f"outside 4 to 6 %: {outside} of {len(RECIPES) * 2 * len(SEEDS)}")


if __name__ == "__main__":
    main()
