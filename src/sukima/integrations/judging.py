"""What live callbacks share: a verdict after every epoch, one warning when overfitting begins, and when to stop."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from sukima.base.checks import check_instance
from sukima.base.messages import say
from sukima.diagnosis.live import Monitor
from sukima.diagnosis.verdict import SHORT
from sukima.records.files import check_writable
from sukima.records.history import History
from sukima.records.verdict import Verdict

__all__ = ["Judging", "OverfittingWarning", "warn_of_overfitting"]


class OverfittingWarning(UserWarning):
    """Training goes on, and the model has begun to overfit."""


def warn_of_overfitting(verdict: Verdict | None, epoch: int, epochs: int, *, stacklevel: int) -> bool:
    """Warn at ``epoch`` if curves of so many epochs show that overfitting has begun; gives whether it did."""
    if verdict is None or verdict.verdict != "overfitting":
        return False
    if epochs < SHORT:  # too early to tell from the noise of the first epochs
        return False
    text = say(
        "Epoch {epoch}: overfitting since epoch {onset}. {why}",
        epoch=epoch,
        onset=verdict.onset_epoch or epoch,
        why=verdict.evidence[0] if verdict.evidence else "",
    )
    warnings.warn(str(text), OverfittingWarning, stacklevel=stacklevel)
    return True


class Judging:
    """Follows a training loop for a callback. A second fit with the same one goes on with the same history.

    Args:
        monitor: what judges, and decides when to stop; by default a `Monitor` with its own settings.
        stop: whether training is stopped when the monitor says so. A loss that is not finite always stops it.
        warn: whether to warn, once, when overfitting begins.
        on_verdict: is called after every epoch with the epoch (from 1) and the verdict so far.
        path: where to write the history as JSON when training ends; ``None``: nowhere.
    """

    def __init__(
        self,
        monitor: Monitor | None = None,
        *,
        stop: bool = False,
        warn: bool = True,
        on_verdict: Callable[[int, Verdict], None] | None = None,
        path: str | Path | None = None,
    ) -> None:
        if monitor is not None:
            check_instance("monitor", monitor, Monitor)
        self.monitor = monitor or Monitor()
        self.stopped = False
        self.verdict: Verdict | None = None
        self._stop, self._warn, self._on_verdict = stop, warn, on_verdict
        self._path = None if path is None else check_writable(path)

    @property
    def history(self) -> History:
        """The curves so far."""
        return self.monitor.history

    def epoch(
        self,
        train_loss: Any,
        validation_loss: Any,
        train_metric: Any = None,
        validation_metric: Any = None,
        learning_rate: Any = None,
    ) -> bool:
        """Take an epoch's values; gives whether to stop training. Without both losses there is nothing to judge."""
        if train_loss is None or validation_loss is None:
            return False
        values = {"train_metric": train_metric, "validation_metric": validation_metric, "learning_rate": learning_rate}
        self.verdict = self.monitor.update(
            train_loss=float(train_loss),
            validation_loss=float(validation_loss),
            **{name: None if value is None else float(value) for name, value in values.items()},
        )
        if self._on_verdict is not None:
            self._on_verdict(self.history.epochs, self.verdict)
        self._say()
        lost = not (math.isfinite(self.history.train_loss[-1]) and math.isfinite(self.history.validation_loss[-1]))
        self.stopped = lost or (self._stop and self.monitor.should_stop)
        if self.stopped:
            self.history.status = "diverged" if lost else "early_stopped"
            self.history.note = str(self.monitor.reason or "")
        return self.stopped

    def _say(self) -> None:
        if self._warn and warn_of_overfitting(self.verdict, self.history.epochs, self.history.epochs, stacklevel=5):
            self._warn = False

    def end(self) -> None:
        """Write the history."""
        if self._path is not None:
            self._path.write_bytes(msgspec.json.format(msgspec.json.encode(self.history), indent=2))
