"""What the ``WatchCallback`` of each library shares."""

from __future__ import annotations

from typing import Any

from sukima.auditing.watch import Watch, watch
from sukima.records.finding import Finding
from sukima.records.recipe import Recipe

__all__ = ["WatchInForce"]


class WatchInForce:
    """A watch that begins with training, when the model is known.

    Args:
        recipe: what the run claims to use, as in `sukima.watch`.
        sampling: dropout at inference is meant.
        show: print the findings when training ends.
    """

    def __init__(self, recipe: Recipe | None = None, *, sampling: bool = False, show: bool = True) -> None:
        super().__init__()
        self._options: dict[str, Any] = {"recipe": recipe, "sampling": sampling, "show": show}
        self._watch: Watch | None = None

    @property
    def findings(self) -> list[Finding]:
        """What was found so far."""
        return [] if self._watch is None else self._watch.findings

    def _start(self, model: Any) -> None:
        self._watch = watch(model, **self._options)
        self._watch.start()

    def _stop(self) -> None:
        if self._watch is not None:
            self._watch.stop()
