"""Lightning callbacks: one trains with a recipe, one says what the curves mean as they form."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from sukima.base.imports import is_installed, require
from sukima.integrations.judging import Judging
from sukima.integrations.torch_training import RecipeInForce
from sukima.integrations.watching import WatchInForce
from sukima.records.history import History
from sukima.records.recipe import Recipe
from sukima.torch.apply import Applied

__all__ = ["RecipeCallback", "VerdictCallback", "WatchCallback"]

if TYPE_CHECKING:
    Callback: Any = object
elif is_installed("lightning"):
    Callback = require("lightning.pytorch", "lightning").Callback
else:
    Callback = require("pytorch_lightning", "lightning").Callback


class RecipeCallback(Callback):  # type: ignore[misc]  # its class is not known where Lightning is not installed
    """Apply a recipe when fitting begins, follow its schedules, add its penalties, and keep a sukima history.

    Penalties are added to the loss that ``training_step`` returns; proximal steps and constraints follow each step of
    the optimizers. The history takes an epoch's values from what the module logs under ``train_loss``, ``val_loss``
    and, where ``metric`` is given, ``train_<metric>`` and ``val_<metric>``.

    Args:
        recipe: what to apply.
        path: where to write the history as JSON when fitting ends; ``None``: nowhere.
        metric: the metric's name, such as ``"accuracy"``.
        example: a batch of inputs for `sukima.apply`.
    """

    def __init__(
        self, recipe: Recipe, path: str | Path | None = None, *, metric: str = "", example: Tensor | None = None
    ) -> None:
        super().__init__()
        self._training = RecipeInForce(recipe, path, example)
        self._metric = metric
        self._step: Any = None

    @property
    def applied(self) -> Applied | None:
        """The handle of the recipe in force; ``None`` before fitting."""
        return self._training.applied

    @property
    def history(self) -> History:
        """The curves so far."""
        return self._training.history

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        """Apply the recipe, and let the module's loss have its penalties."""
        self._training.begin(pl_module, list(trainer.optimizers))
        self._training.history.metric = self._metric
        self._step = own = pl_module.training_step

        def training_step(*args: Any, **kwargs: Any) -> Any:
            result = own(*args, **kwargs)
            if isinstance(result, Tensor):
                return self._training.penalty(result)
            if isinstance(result, dict) and "loss" in result:
                return {**result, "loss": self._training.penalty(result["loss"])}
            return result

        pl_module.training_step = training_step

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:
        """Tell the schedules how far training is."""
        del pl_module, batch, batch_idx
        self._training.progress(trainer.global_step, trainer.estimated_stepping_batches)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Take the epoch's values, which validation has logged before."""
        del pl_module
        logged = trainer.callback_metrics
        values = {"train_loss": logged.get("train_loss"), "validation_loss": logged.get("val_loss")}
        if self._metric:
            values["train_metric"] = logged.get(f"train_{self._metric}")
            values["validation_metric"] = logged.get(f"val_{self._metric}")
        self._training.record(values)

    def on_fit_end(self, trainer: Any, pl_module: Any) -> None:
        """Give the module its own step back and write the history."""
        del trainer
        if self._step is not None:
            del pl_module.training_step
        self._step = None
        self._training.end()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """Write what there is."""
        self._training.history.status = "interrupted"
        self._training.history.note = type(exception).__name__
        self.on_fit_end(trainer, pl_module)


class VerdictCallback(Judging, Callback):  # type: ignore[misc]  # its class is not known where Lightning is not installed
    """Judge the curves after every epoch, warn when overfitting begins, and stop training where more is no use.

    The values are those that the module logs under ``train_loss`` and ``val_loss`` and, where the monitor has a
    ``metric``, ``train_<metric>`` and ``val_<metric>``; the learning rate is the first optimizer's. Epochs without
    validation are passed over. The arguments are those of `sukima.integrations.judging.Judging`; with ``stop=True``
    training ends where `sukima.diagnosis.live.Monitor` calls for it, by ``trainer.should_stop``.

    Attributes:
        verdict: on the curves so far; ``None`` before the first epoch.
        history: the curves.
        monitor: with ``forecast`` and ``outlook`` for what more epochs would give.
    """

    _validated = False

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """Note that this epoch was validated; the check before training is none."""
        del pl_module
        self._validated = not trainer.sanity_checking

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Take the epoch's values, which validation has logged before."""
        del pl_module
        if not self._validated:
            return
        self._validated = False
        logged, metric = trainer.callback_metrics, self.monitor.metric
        train, validation = (logged.get(f"{part}_{metric}") if metric else None for part in ("train", "val"))
        rate = trainer.optimizers[0].param_groups[0]["lr"] if trainer.optimizers else None
        if self.epoch(logged.get("train_loss"), logged.get("val_loss"), train, validation, rate):
            trainer.should_stop = True

    def on_fit_end(self, trainer: Any, pl_module: Any) -> None:
        """Write the history."""
        del trainer, pl_module
        self.end()


class WatchCallback(WatchInForce, Callback):  # type: ignore[misc]  # as above
    """`sukima.watch` over the module while the ``Trainer`` fits it; what it saw is in ``findings``."""

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        """Begin to watch."""
        del trainer
        self._start(pl_module)

    def on_fit_end(self, trainer: Any, pl_module: Any) -> None:
        """Stop, and say what was seen."""
        del trainer, pl_module
        self._stop()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """Stop; the findings so far remain."""
        del exception
        self.on_fit_end(trainer, pl_module)
