"""A callback for people who keep their own ``fit``: recipe, honest training curves, and a warning in time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import msgspec

from sukima.base.checks import check_instance
from sukima.base.errors import InputError
from sukima.diagnosis.live import Monitor
from sukima.integrations.judging import OverfittingWarning, warn_of_overfitting
from sukima.integrations.watching import WatchInForce
from sukima.keras.apply import Applied, apply
from sukima.records.files import check_writable
from sukima.records.history import History
from sukima.records.recipe import Recipe
from sukima.records.verdict import Verdict

__all__ = ["OverfittingWarning", "SukimaCallback", "WatchCallback"]


class SukimaCallback(keras.callbacks.Callback):
    """Apply a recipe while ``fit`` trains, measure training in inference mode, and warn of overfitting as it begins.

    Keras' own training loss and metrics are means over an epoch while weights change and dropout is on; validation is
    measured after it with dropout off. The two cannot be compared. With ``train`` the training data are measured as
    validation data are, and Keras' logs (and ``History``) get ``inference_loss`` and the like beside its own.

    Args:
        recipe: a recipe for the model that is fitted, or the handle of one that was applied before (which is how one
            that inserts dropout begins: it makes a new model). ``None`` leaves the model as it is.
        train: the training data, as ``evaluate`` takes them: a pair of arrays (of as many rows as it shall cost) or a
            data set. With ``validation_split`` leave out the rows that Keras sets aside. ``None`` measures nothing:
            the history then has Keras' own curves.
        metric: the name of a metric that the model was compiled with, for the history.
        path: where to write the history as JSON when training ends.
        warn: whether to warn when overfitting begins.
        stop: whether to end training where `sukima.diagnosis.live.Monitor` would.

    Attributes:
        applied: the handle of the recipe in force; ``None`` without one.
        history: loss and metric by epoch; training in inference mode where ``train`` was given.
        verdict: on the curves so far.

    Raises:
        InputError: fit has no validation data; the recipe needs a new model.
    """

    def __init__(
        self,
        recipe: Recipe | Applied | None = None,
        *,
        train: Any = None,
        metric: str = "",
        path: str | Path | None = None,
        warn: bool = True,
        stop: bool = False,
    ) -> None:
        super().__init__()
        if recipe is not None:
            check_instance("recipe", recipe, (Recipe, Applied))
        self._recipe, self._train, self._metric, self._stop, self._warn = recipe, train, metric, stop, warn
        self.path = None if path is None else check_writable(path)
        self.applied: Applied | None = recipe if isinstance(recipe, Applied) else None
        self._begin()

    def _begin(self) -> None:
        self._monitor = Monitor(
            metric=self._metric,
            metric_increases="accuracy" in self._metric or "auc" in self._metric.lower(),
            train_in_inference_mode=self._train is not None,
        )
        self.verdict: Verdict | None = None
        self._warned = False

    @property
    def history(self) -> History:
        """The curves so far."""
        return self._monitor.history

    def on_train_begin(self, logs: Any = None) -> None:
        """Put the recipe in force."""
        self._begin()
        if isinstance(self._recipe, Recipe) and self.applied is None:
            applied = apply(self.model, self._recipe)
            if applied.model is not self.model:
                raise InputError(
                    "recipe: expected rates of layers of sukima.keras in the model; where dropout is inserted or "
                    "replaced, fit the handle's model: applied = sukima.apply(model, recipe); applied.model.fit(…, "
                    "callbacks=[SukimaCallback(applied)])"
                )
            self.applied = applied
        if self.applied is not None and self.applied.model is not self.model:
            raise InputError("recipe: expected a handle whose .model is the one that is fitted, got that of another")

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Tell the schedules how far training is."""
        if self.applied is not None:
            self.applied.progress(min(epoch / max(int((self.params or {}).get("epochs") or 1), 1), 1.0))

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Take the steps of proximal and decoupled penalties."""
        if self.applied is not None:
            self.applied.step()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Measure, record, judge."""
        logs = {} if logs is None else logs
        if "val_loss" not in logs:
            raise InputError("fit: expected validation_data or validation_split with SukimaCallback, got none")
        found = self._measured(logs)
        values = {
            "train_loss": float(found["loss"]),
            "validation_loss": float(logs["val_loss"]),
            "train_metric": self._metric_of(found, self._metric),
            "validation_metric": self._metric_of(logs, f"val_{self._metric}"),
            "learning_rate": None if (rate := logs.get("learning_rate")) is None else float(rate),
        }
        self.verdict = self._monitor.update(**values)  # type: ignore[arg-type]  # losses are never None
        self._say(epoch + 1)
        if (self._stop and self._monitor.should_stop) or not math.isfinite(values["train_loss"] or 0.0):
            self.model.stop_training = True

    def _measured(self, logs: Any) -> Mapping[str, Any]:
        """The training values that go into the history, and, in inference mode, into Keras' logs."""
        if self._train is None:
            return logs
        data = self._train if isinstance(self._train, tuple | list) else (self._train,)
        found: Mapping[str, Any] = self.model.evaluate(*data, verbose=0, return_dict=True)
        for name, value in found.items():
            logs[f"inference_{name}"] = value
        return found

    def _metric_of(self, found: Mapping[str, Any], name: str) -> float | None:
        if not self._metric:
            return None
        if name not in found:
            raise InputError(
                "{name} must be one of {choices}, got {value}",
                name="metric",
                choices=", ".join(sorted(n for n in found if not n.startswith(("val_", "inference_")))),
                value=repr(self._metric),
            )
        return float(found[name])

    def _say(self, epoch: int) -> None:
        if self._warn and not self._warned:
            self._warned = warn_of_overfitting(self.verdict, epoch, self.history.epochs, stacklevel=3)

    def on_train_end(self, logs: Any = None) -> None:
        """Write the history. The recipe stays in force."""
        if self.path is not None:
            self.path.write_bytes(msgspec.json.format(msgspec.json.encode(self.history), indent=2))


class WatchCallback(WatchInForce, keras.callbacks.Callback):
    """`sukima.watch` over the model while ``fit`` trains it; what it saw is in ``findings``."""

    def on_train_begin(self, logs: Any = None) -> None:
        """Begin to watch."""
        self._start(self.model)

    def on_train_end(self, logs: Any = None) -> None:
        """Stop, and say what was seen."""
        self._stop()
