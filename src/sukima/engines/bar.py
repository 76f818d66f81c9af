"""The work as it is seen on a terminal: a line for each part of it, and a table of the best candidates so far."""

from __future__ import annotations

import math
import time
from statistics import fmean
from typing import Any, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from sukima.base.messages import Message, say
from sukima.engines.progress import STAGES
from sukima.records.history import History
from sukima.records.recipe import Recipe
from sukima.records.result import Trial

__all__ = ["Bar", "sparkline"]

_ROWS, _WIDTH = 6, 24
"""Candidates in the table, and characters of a curve."""

_BLOCKS = "▁▂▃▄▅▆▇█"


class Bar:
    """A line for the part at work (share done, losses of the running trial, time left), and the best candidates."""

    def __init__(self) -> None:
        self._bar = Progress(
            TextColumn("{task.description:<24}"),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            TextColumn("·"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[losses]}"),
        )
        self._depth = 0
        self._task: Any = None
        self._done, self._moved = 0, 0.0  # trials that have ended; the same with parts of those at work
        self._candidates: dict[str, list[Trial]] = {}
        self._end = math.inf
        self._live = Live(console=Console(stderr=True), get_renderable=self._shown, refresh_per_second=4)

    def __enter__(self) -> Self:
        if self._depth == 0:
            self._live.start()
        self._depth += 1
        return self

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._close()
            self._live.stop()

    def stage(self, name: str, trials: int) -> None:
        """Close the part before and open a new line, with a table of its own."""
        self._close()
        self._done, self._moved = 0, 0.0
        if name != "search":  # the search goes on from its references
            self._candidates = {}
        self._task = self._bar.add_task(str(STAGES.get(name, name)), total=trials or None, losses="")

    def _close(self) -> None:
        if self._task is not None:
            self._bar.update(self._task, total=max(self._done, 1), completed=max(self._done, 1), losses="")

    def budget(self, seconds: float) -> None:
        """Show the time left."""
        self._end = time.monotonic() + seconds

    def note(self, message: Message) -> None:
        """Print it above the bar."""
        self._live.console.print(str(message), markup=False, highlight=False)

    def epoch(self, history: History, epochs: int) -> None:
        """Move on by a part of a trial; several may be at work side by side."""
        if self._task is None:
            self.stage("fit", 1)
        losses = f"{history.train_loss[-1]:.4f} / {history.validation_loss[-1]:.4f}"
        shown = say("epoch {epoch}/{epochs}, loss {losses}", epoch=history.epochs, epochs=epochs, losses=losses)
        self._moved += 1 / epochs
        self._bar.update(self._task, completed=self._moved, losses=str(shown))

    def trial(self, trial: Trial) -> None:
        """Count it; a part of the work may turn out longer than was thought."""
        if self._task is None:
            self.stage("fit", 1)
        self._candidates.setdefault(trial.recipe.to_json(), []).append(trial)
        self._done += 1
        self._moved = max(self._moved, self._done)  # one that stopped early has moved less than a whole
        total = next(task.total for task in self._bar.tasks if task.id == self._task)
        self._bar.update(self._task, completed=self._moved, total=total and max(total, self._done + 0.5))

    def _shown(self) -> Group:
        parts: list[Any] = [self._bar]
        if math.isfinite(self._end):
            minutes, seconds = divmod(max(0, round(self._end - time.monotonic())), 60)
            parts.append(
                Text(str(say("{minutes} min {seconds} s of the budget left", minutes=minutes, seconds=seconds)))
            )
        if len(self._candidates) > 1 and self._depth:
            parts.append(self._table())
        return Group(*parts)

    def _table(self) -> Table:
        """The candidates with the lowest validation loss, each with the mean curve of its trials."""
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        for column in (say("candidate"), say("validation loss"), say("trials"), say("curve")):
            table.add_column(str(column), no_wrap=True, max_width=40)
        ranked = sorted(self._candidates.values(), key=_loss)
        for place, trials in enumerate(ranked[:_ROWS]):
            label, loss = Text(_label(trials[0].recipe)), Text(f"{_loss(trials):.4f}")
            curve = Text(sparkline(trials[0].history.validation_loss))
            table.add_row(label, loss, Text(str(len(trials))), curve, style="bold" if place == 0 else "")
        return table


def _loss(trials: list[Trial]) -> float:
    return fmean(trial.validation.loss for trial in trials)


def _label(recipe: Recipe) -> str:
    """A recipe in half a line: its rates, and how much else it sets."""
    rates = " ".join(f"{site}:{rate:g}" for site, rate in recipe.rates.items() if rate)
    others = len(recipe.penalties) + len(recipe.constraints) + len(recipe.options) + bool(recipe.weight_decay)
    return (rates or "–") + (f" +{others}" if others else "")


def sparkline(values: list[float], width: int = _WIDTH) -> str:
    """A curve in a line of text, its highest tenth cut off: the first epochs would flatten all that follows."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return ""
    step = max(1, math.ceil(len(finite) / width))
    means = [fmean(finite[start : start + step]) for start in range(0, len(finite), step)]
    low, high = min(means), sorted(means)[int(0.9 * (len(means) - 1))]
    shares = [min(1.0, (value - low) / (high - low)) if high > low else 0.0 for value in means]
    return "".join(_BLOCKS[round(share * (len(_BLOCKS) - 1))] for share in shares)
