"""How good the winners of sukima's strategies are, and what they cost: what the rule of ``auto`` rests on.

    python benchmarks/tune/strategies.py --tasks digits digits-200 --repeats 3

Each strategy is timed until its winner is chosen; the winner is judged with fresh seeds. Random search, TPE and halving
get ``--trials`` candidates; the others end by themselves. Results are kept in ``strategies.jsonl``, one line a search,
so that the script can be stopped and started again; it ends by writing the table to ``strategies.md``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, get_args

from tasks import TASKS, make_task, space_of
from winner import find_winner

from sukima import Recipe, Task
from sukima.engines.local import LocalEngine
from sukima.engines.progress import Silent
from sukima.tuning.strategies.table import StrategyName
from sukima.workflow.environment import environment

RESULTS = Path(__file__).with_suffix(".jsonl")
FRESH = 5_000_000
_LIMITED = ("random", "tpe", "halving")
_FIXED = ("none", "guideline")


def searched(task_name: str, strategy: str, repeat: int, trials: int, seeds: int) -> dict[str, Any]:
    task = make_task(task_name, repeat)
    space = space_of(task)
    if strategy in _FIXED:
        rates = space.recipe(space.usual() if strategy == "guideline" else {}).rates
        return {"rates": rates, "judged": judged(task, rates, seeds)}
    limit = trials if strategy in _LIMITED else None
    found = find_winner(task, space, strategy, first_seed=1000 * repeat, trials=limit)  # type: ignore[arg-type]
    return asdict(found) | {"judged": judged(task, found.rates, seeds)}


def judged(task: Task, rates: dict[str, float], seeds: int) -> list[tuple[float, float]]:
    """Validation and test loss with fresh seeds."""
    trials = LocalEngine(task, Silent()).run(Recipe(rates=rates), range(FRESH, FRESH + seeds), test=True)
    return [(trial.validation.loss, trial.test.loss) for trial in trials if trial.test is not None]


def table(lines: Sequence[dict[str, Any]]) -> str:
    """Means over repeats; losses also as gains over no dropout, which share data and seeds."""
    rows = [
        "| task | strategy | searches | seconds | of computing | trainings | validation loss | gain over none | "
        "test loss | gain over none |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for task, strategy in dict.fromkeys((line["task"], line["strategy_asked"]) for line in lines):
        these = [line for line in lines if (line["task"], line["strategy_asked"]) == (task, strategy)]
        none = {x["repeat"]: x["judged"] for x in lines if (x["task"], x["strategy_asked"]) == (task, "none")}
        cost = [f"{fmean(x[key] for x in these):.1f}" if key in these[0] else "" for key in ("seconds", "cpu")]
        cost.append(f"{fmean(x['trainings'] for x in these):.0f}" if "trainings" in these[0] else "")
        losses = []
        for side in (0, 1):
            means = [fmean(pair[side] for pair in x["judged"]) for x in these]
            gains = [
                fmean(pair[side] for pair in none[x["repeat"]]) - mean
                for x, mean in zip(these, means, strict=True)
                if x["repeat"] in none
            ]
            losses += [f"{fmean(means):.4f}", spread(gains)]
        rows.append(f"| {task} | {strategy} | {len(these)} | {' | '.join(cost)} | {' | '.join(losses)} |")
    return "\n".join(rows)


def spread(values: Sequence[float]) -> str:
    if len(values) < 2:
        return f"{values[0]:.4f}" if values else ""
    return f"{fmean(values):.4f} ± {stdev(values) / len(values) ** 0.5:.4f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=["digits", "digits-200"])
    names = [*_FIXED, *(name for name in get_args(StrategyName) if name != "grid")]
    parser.add_argument("--strategies", nargs="+", choices=names, default=[name for name in names if name != "auto"])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--trials", type=int, default=26)
    parser.add_argument("--seeds", type=int, default=12, help="fresh seeds by which a winner is judged")
    arguments = parser.parse_args()
    lines = [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []
    for repeat in range(arguments.repeats):
        for task in arguments.tasks:
            for strategy in arguments.strategies:
                what = {"task": task, "strategy_asked": strategy, "repeat": repeat}
                if any(what.items() <= line.items() for line in lines):
                    continue
                line = what | searched(task, strategy, repeat, arguments.trials, arguments.seeds)
                lines.append(line)
                with RESULTS.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(line) + "\n")
                print({k: v for k, v in line.items() if k != "judged"}, flush=True)
    made = ", ".join(f"{key} {value}" for key, value in environment().items())
    page = (
        f"# The strategies of sukima\n\nMean ± standard error over searches.\n\n{table(lines)}\n\nMade with {made}.\n"
    )
    RESULTS.with_suffix(".md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
