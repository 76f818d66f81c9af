"""What an engine tells while it works, and a bar that shows it."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any, Protocol, Self

from sukima.base.messages import Message, say
from sukima.records.history import History
from sukima.records.result import Trial

__all__ = ["Bar", "Lines", "Progress", "Silent", "default_progress"]


class Progress(Protocol):
    """Receives news of the work; entered when it begins and left when it ends, possibly several times nested."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def stage(self, name: str, trials: int) -> None:
        """A part of the work begins that takes about ``trials`` trials."""
        ...

    def note(self, message: Message) -> None:
        """Something worth a line of its own."""
        ...

    def epoch(self, history: History, epochs: int) -> None:
        """An epoch of the running trial has ended; ``epochs`` is the most there can be."""
        ...

    def trial(self, trial: Trial) -> None:
        """A trial has ended."""
        ...


class Silent:
    """Says nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def stage(self, name: str, trials: int) -> None:
        """Ignore it."""

    def note(self, message: Message) -> None:
        """Ignore it."""

    def epoch(self, history: History, epochs: int) -> None:
        """Ignore it."""

    def trial(self, trial: Trial) -> None:
        """Ignore it."""


_STAGES = {
    "baseline": say("Baseline and guideline"),
    "search": say("Search"),
    "finalists": say("Finalists"),
    "comparison": say("Final comparison"),
    "compare": say("Comparison"),
    "fit": say("Training"),
}


class Bar:
    """One line on the terminal for the stage at work: share done, losses of the running trial, time left."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        self._bar = Progress(
            TextColumn("{task.description:<24}"),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            TextColumn("·"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[losses]}"),
            console=Console(stderr=True),
        )
        self._depth = 0
        self._task: Any = None
        self._done, self._moved = 0, 0.0  # trials that have ended; the same with parts of those at work

    def __enter__(self) -> Self:
        if self._depth == 0:
            self._bar.start()
        self._depth += 1
        return self

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._bar.stop()

    def stage(self, name: str, trials: int) -> None:
        """Close the stage before and open a new line."""
        if self._task is not None:
            self._bar.update(self._task, total=max(self._done, 1), completed=max(self._done, 1), losses="")
        self._done, self._moved = 0, 0.0
        self._task = self._bar.add_task(str(_STAGES.get(name, name)), total=trials, losses="")

    def note(self, message: Message) -> None:
        """Print it above the bar."""
        self._bar.console.print(str(message), markup=False, highlight=False)

    def epoch(self, history: History, epochs: int) -> None:
        """Move on by a part of a trial; several may be at work side by side."""
        if self._task is None:
            self.stage("fit", 1)
        losses = f"{history.train_loss[-1]:.4f} / {history.validation_loss[-1]:.4f}"
        shown = say("epoch {epoch}/{epochs}, loss {losses}", epoch=history.epochs, epochs=epochs, losses=losses)
        self._moved += 1 / epochs
        self._bar.update(self._task, completed=self._moved, losses=str(shown))

    def trial(self, trial: Trial) -> None:
        """Count it; a stage may turn out longer than was thought."""
        self._done += 1
        self._moved = max(self._moved, self._done)  # one that stopped early has moved less than a whole
        total = next(task.total for task in self._bar.tasks if task.id == self._task)
        self._bar.update(self._task, completed=self._moved, total=max(total or 0, self._done + 0.5))


class Lines(Silent):
    """One line for each stage and note, where there is no terminal: a log says what is going on."""

    def stage(self, name: str, trials: int) -> None:
        """Print its name."""
        print(_STAGES.get(name, name), file=sys.stderr, flush=True)

    def note(self, message: Message) -> None:
        """Print it."""
        print(message, file=sys.stderr, flush=True)


def default_progress() -> Progress:
    """A bar where there is a terminal or a notebook to show it, silence elsewhere."""
    return Bar() if sys.stderr.isatty() or "ipykernel" in sys.modules else Silent()
