"""sukima's winner on a task, and what it took: search and choice, without the final comparison."""

from __future__ import annotations

import multiprocessing
import os
import time
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

from sukima import Task
from sukima.engines.progress import Silent
from sukima.engines.workers import cores
from sukima.tuning.space import Space
from sukima.tuning.strategies.table import StrategyName
from sukima.workflow.tune import tune

__all__ = ["Found", "cpu_seconds", "find_winner"]


@dataclass(frozen=True)
class Found:
    """A winner: its rates by site, seconds on the clock and of computing (all processes), what was trained."""

    rates: dict[str, float]
    seconds: float
    cpu: float
    trainings: float
    strategy: str


class _UntilChosen(Silent):
    """Ends the work, as Ctrl-C does, where the final comparison begins."""

    def stage(self, name: str, trials: int) -> None:
        if name == "comparison":
            raise KeyboardInterrupt


def find_winner(
    task: Task,
    space: Space,
    strategy: StrategyName = "auto",
    *,
    first_seed: int = 0,
    trials: int | None = None,
    budget: float | None = None,
    clock: str = "wall",
) -> Found:
    """Let sukima search; with the clock ``computing`` its seconds are of computing, divided by the cores."""
    started, computed = time.perf_counter(), cpu_seconds()
    idle = SimpleNamespace(perf_counter=lambda: cpu_seconds() / cores())
    with patch("sukima.tuning.deadline.time", idle) if clock == "computing" else nullcontext():
        result = tune(
            task, space, strategy=strategy, first_seed=first_seed, trials=trials, budget=budget, progress=_UntilChosen()
        )
    seconds = time.perf_counter() - started
    none = space.recipe({d.name: 0.0 for d in space.dimensions})
    rates = none.rates if result.recipe.is_empty else result.recipe.rates
    return Found(dict(rates), seconds, cpu_seconds() - computed, result.cost.full_trainings, result.strategy)


def cpu_seconds() -> float:
    """Of this process and its children (on Linux; elsewhere those still at work are left out)."""
    children = 0.0
    for child in multiprocessing.active_children():
        with suppress(FileNotFoundError):
            ticks = Path(f"/proc/{child.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[11:13]
            children += sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
    times = os.times()
    return children + times.user + times.system + times.children_user + times.children_system
