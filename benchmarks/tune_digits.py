"""Does ``sukima tune`` say the truth on digits? The whole verdict, repeated.

    python benchmarks/tune_digits.py            # everything; progress is kept, so it can be stopped and continued
    python benchmarks/tune_digits.py --repeats 5 --pairs 20

1. The whole of ``sukima tune``, again and again, with other seeds and other splits of the data: at 800 training
   images, where dropout helps, a gain should be claimed; at 200 there is little to find.
2. Comparisons of a recipe with *itself* under other seeds, where nothing is to be found: a gain claimed there is false.

Results are kept in ``benchmarks/tune_digits.jsonl``, one line a repeat.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sukima.comparison.statistics import paired_difference
from sukima.engines.local import LocalEngine
from sukima.engines.progress import Silent
from sukima.records.recipe import Recipe
from sukima.workflow.demo import demo_task
from sukima.workflow.environment import environment
from sukima.workflow.plan import WINNER
from sukima.workflow.tune import tune

RESULTS = Path(__file__).with_suffix(".jsonl")
SEEDS_A_COMPARISON = 6


def whole_tune(rows: int, repeat: int) -> dict[str, Any]:
    started = time.perf_counter()
    result = tune(demo_task(train_rows=rows, split=repeat), first_seed=1000 * repeat, progress=Silent())
    assert result.comparison is not None
    differences = result.comparison.differences
    # A winner that is the guideline's recipe has no arm of its own; an empty winner claims nothing.
    name = WINNER if WINNER in differences else "guideline"
    claimed = not result.recipe.is_empty and differences[name].outcome == "better"
    shown = differences[name]
    return {
        "claimed": claimed,
        "rates": result.recipe.rates,
        "gain": [shown.mean, shown.low, shown.high],
        "verdict": result.baseline.verdict if result.baseline else None,
        "seconds": time.perf_counter() - started,
    }


def same_recipe(repeat: int) -> dict[str, Any]:
    task = demo_task(split=repeat)
    recipe = Recipe(rates={"*": 0.4 if repeat % 2 else 0.0})
    first = 10_000_000 + 100 * repeat
    trials = LocalEngine(task, Silent()).run(recipe, range(first, first + 2 * SEEDS_A_COMPARISON), test=True)
    values = [trial.test.loss for trial in trials if trial.test is not None]
    difference = paired_difference(values[:SEEDS_A_COMPARISON], values[SEEDS_A_COMPARISON:])
    return {"claimed": difference.outcome == "better", "outcome": difference.outcome, "gain": difference.mean}


def repeated(kind: str, count: int, run: Callable[[int], dict[str, Any]]) -> list[dict[str, Any]]:
    """Results of ``run(0)`` to ``run(count - 1)``: those on file, and those still to be made."""
    lines = RESULTS.read_text(encoding="utf-8").splitlines() if RESULTS.exists() else []
    known = {(r["kind"], r["repeat"]): r for r in map(json.loads, lines)}
    for repeat in range(count):
        if (kind, repeat) not in known:
            record = {"kind": kind, "repeat": repeat, **run(repeat)}
            known[kind, repeat] = record
            with RESULTS.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")
            print(json.dumps(record), flush=True)
    return [known[kind, repeat] for repeat in range(count)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=20, help="whole runs of tune at each size")
    parser.add_argument("--pairs", type=int, default=100, help="comparisons of a recipe with itself")
    arguments = parser.parse_args()
    print(json.dumps(environment()))
    for rows in (800, 200):
        runs = repeated(f"tune {rows}", arguments.repeats, lambda repeat, rows=rows: whole_tune(rows, repeat))
        claimed = sum(run["claimed"] for run in runs)
        seconds = sorted(run["seconds"] for run in runs)[len(runs) // 2]
        wanted = f"; wanted 17 of 20: {'pass' if claimed >= 0.85 * len(runs) else 'short'}" if rows == 800 else ""
        print(f"{rows} images: a gain claimed in {claimed} of {len(runs)}, median {seconds:.0f} s a run{wanted}")
    same = repeated("same", arguments.pairs, same_recipe)
    false = sum(run["claimed"] for run in same)
    outcome = "pass" if false <= 0.05 * len(same) else "short"
    print(f"same recipe: a gain claimed in {false} of {len(same)}; at most 5 %: {outcome}")


if __name__ == "__main__":
    main()
