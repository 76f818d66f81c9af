"""What an engine tells while it works."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Protocol, Self

from sukima.base.messages import Message, say
from sukima.records.history import History
from sukima.records.result import Trial

__all__ = ["STAGES", "Lines", "Progress", "Silent", "default_progress"]


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

    def budget(self, seconds: float) -> None:
        """All of the work must have ended in so many seconds."""
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

    def budget(self, seconds: float) -> None:
        """Ignore it."""

    def epoch(self, history: History, epochs: int) -> None:
        """Ignore it."""

    def trial(self, trial: Trial) -> None:
        """Ignore it."""


STAGES: dict[str, Message] = {
    "baseline": say("Baseline and guideline"),
    "search": say("Search"),
    "finalists": say("Finalists"),
    "comparison": say("Final comparison"),
    "compare": say("Comparison"),
    "fit": say("Training"),
}
"""The parts of the work, as they are called where they are seen."""


class Lines(Silent):
    """One line for each stage and note, where there is no terminal: a log says what is going on."""

    def stage(self, name: str, trials: int) -> None:
        """Print its name."""
        print(STAGES.get(name, name), file=sys.stderr, flush=True)

    def note(self, message: Message) -> None:
        """Print it."""
        print(message, file=sys.stderr, flush=True)


def default_progress() -> Progress:
    """A bar where there is a terminal or a notebook to show it, silence elsewhere."""
    from sukima.engines.bar import Bar  # only where it is seen: it loads much

    return Bar() if sys.stderr.isatty() or "ipykernel" in sys.modules else Silent()
