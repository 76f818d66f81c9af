"""Callbacks for the Hugging Face ``Trainer``: one trains with a recipe, one says what the curves mean as they form."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from sukima.base.imports import require
from sukima.integrations.judging import Judging
from sukima.integrations.torch_training import RecipeInForce
from sukima.integrations.watching import WatchInForce
from sukima.records.history import History
from sukima.records.recipe import Recipe
from sukima.torch.apply import Applied

__all__ = ["RecipeCallback", "VerdictCallback", "WatchCallback"]

TrainerCallback: Any = object if TYPE_CHECKING else require("transformers", "huggingface").TrainerCallback


class RecipeCallback(TrainerCallback):  # type: ignore[misc]  # its class is not known where transformers is missing
    """Apply a recipe when training begins, follow its schedules, add its penalties, and keep a sukima history.

    The model's own loss (``outputs.loss``) gets the penalties, in training mode; proximal steps and constraints follow
    each step of the optimizer. The history takes its values from the ``Trainer``'s log: the last ``loss`` and the
    ``eval_loss`` (and ``eval_<metric>``) of each evaluation.

    Args:
        recipe: what to apply.
        path: where to write the history as JSON when training ends; ``None``: nowhere.
        metric: the metric's name, such as ``"accuracy"``.
        example: a batch of inputs for `sukima.apply`.
    """

    def __init__(
        self, recipe: Recipe, path: str | Path | None = None, *, metric: str = "", example: Tensor | None = None
    ) -> None:
        self._training = RecipeInForce(recipe, path, example)
        self._metric = metric
        self._loss: float | None = None
        self._hook: Any = None

    @property
    def applied(self) -> Applied | None:
        """The handle of the recipe in force; ``None`` before training."""
        return self._training.applied

    @property
    def history(self) -> History:
        """The curves so far."""
        return self._training.history

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Apply the recipe, and let the model's loss have its penalties."""
        del args, state, control
        model, optimizer = kwargs["model"], kwargs.get("optimizer")
        optimizer = getattr(optimizer, "optimizer", optimizer)  # what accelerate wraps
        self._training.begin(model, [] if optimizer is None else [optimizer])
        self._training.history.metric = self._metric
        self._hook = model.register_forward_hook(self._with_penalty)

    def _with_penalty(self, model: Any, _inputs: Any, output: Any) -> Any:
        if model.training and isinstance(getattr(output, "loss", None), Tensor):
            output.loss = self._training.penalty(output.loss)
        return output

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Tell the schedules how far training is."""
        del args, control, kwargs
        self._training.progress(state.global_step, state.max_steps)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        """Remember the training loss."""
        del args, state, control, kwargs
        if logs and "loss" in logs:
            self._loss = float(logs["loss"])

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: Any = None, **kwargs: Any) -> None:
        """Take the values of this evaluation, and the training loss before it."""
        del args, state, control, kwargs
        found = metrics or {}
        values = {"train_loss": self._loss, "validation_loss": found.get("eval_loss")}
        if self._metric:
            values["validation_metric"] = found.get(f"eval_{self._metric}")
        self._training.record(values)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Leave the model's loss alone again and write the history."""
        del args, state, control, kwargs
        if self._hook is not None:
            self._hook.remove()
        self._hook = None
        self._training.end()


class VerdictCallback(Judging, TrainerCallback):  # type: ignore[misc]  # as above
    """Judge the curves after every evaluation, warn when overfitting begins, and stop training where more is no use.

    The values are those of the ``Trainer``'s log: the mean of ``loss`` since the evaluation before, ``eval_loss``, and
    ``learning_rate``. An evaluation counts as an epoch. The arguments are those of `Judging` in `sukima.integrations`;
    with ``stop=True`` training ends where `sukima.diagnosis.live.Monitor` calls for it.

    Attributes:
        verdict: on the curves so far; ``None`` before the first evaluation.
        history: the curves.
        monitor: with ``forecast`` and ``outlook`` for what more epochs would give.
    """

    _losses: tuple[float, ...] = ()
    _rate: float | None = None

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        """Remember the training losses since the last evaluation, and the learning rate."""
        del args, state, control, kwargs
        found = logs or {}
        if "loss" in found:
            self._losses = (*self._losses, float(found["loss"]))
            self._rate = found.get("learning_rate")

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: Any = None, **kwargs: Any) -> None:
        """Take the values of this evaluation; one before any training loss was logged is passed over."""
        del args, state, kwargs
        if not self._losses:
            return
        train = sum(self._losses) / len(self._losses)
        self._losses = ()
        if self.epoch(train, (metrics or {}).get("eval_loss"), learning_rate=self._rate):
            control.should_training_stop = True

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Write the history."""
        del args, state, control, kwargs
        self.end()


class WatchCallback(WatchInForce, TrainerCallback):  # type: ignore[misc]  # as above
    """`sukima.watch` over the model while the ``Trainer`` trains it; what it saw is in ``findings``."""

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Begin to watch."""
        del args, state, control
        self._start(kwargs["model"])

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Stop, and say what was seen."""
        del args, state, control, kwargs
        self._stop()
