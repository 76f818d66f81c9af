"""One training run: its model, its data, and what is known of it epoch by epoch. The loop is elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from sukima.base.errors import InputError
from sukima.engines.curves import Curves, described, trial_of
from sukima.engines.seeds import derive_seed
from sukima.engines.torch.augment import Augmentation
from sukima.engines.torch.data import TaskData
from sukima.engines.torch.evaluate import evaluate
from sukima.engines.torch.layout import prefers_channels_last
from sukima.engines.torch.losses import make_loss
from sukima.engines.torch.metrics import make_metric
from sukima.engines.torch.model import new_model
from sukima.engines.torch.preflight import preflight
from sukima.engines.torch.seeding import seed_everything
from sukima.records.recipe import Recipe
from sukima.records.result import Score, Trial
from sukima.records.task import Task
from sukima.torch.apply import apply

__all__ = ["Run", "described", "trial_of"]


class Run(Curves):
    """A new model with its recipe in force, and its history so far.

    ``data`` spares opening and checking the task's data again for each of many runs.
    """

    def __init__(self, task: Task, recipe: Recipe, seed: int, data: TaskData | None = None) -> None:
        metric = make_metric(task)
        super().__init__(task, recipe, seed, metric_increases=metric is None or metric.increases)
        self.data = data or TaskData(task)
        self.train, self.validation, self.example = self.data.train, self.data.validation, self.data.example
        self.loss = make_loss(task.loss, label_smoothing=recipe.label_smoothing)
        self.plain_loss = make_loss(task.loss)
        self._augmentation = Augmentation(recipe, seed) if recipe.input_noise or recipe.mixup else None
        seed_everything(derive_seed(seed, "weights"))
        self.model = new_model(task, recipe)
        if prefers_channels_last(self.model):
            self.data.channels_last()
        if data is None:
            preflight(self.model, task, {"train": self.train, "validation": self.validation})
        self.applied = apply(self.model, recipe, self.example)
        self.trainable = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        if not self.trainable:
            raise InputError("model() must have parameters to train, got none")

    def record(self, train: Score, validation: Score, seconds: float, weights: Callable[[], dict[str, Tensor]]) -> bool:
        """As `Curves.record`; ``weights`` gives the state dict in force, of which a copy is kept."""
        return super().record(
            train, validation, seconds, lambda: {name: value.detach().clone() for name, value in weights().items()}
        )

    def training_loss(self, inputs: Any, targets: Any) -> Tensor:
        """The loss of a batch in training, without penalties."""
        if self._augmentation is not None:
            return self._augmentation.loss(self.model, inputs, targets, self.loss)
        return self.loss(self.model(inputs), targets)

    def in_force(self) -> None:
        """Have the recipe on the model as `apply` puts it there; a stack takes out the dropout that was inserted."""
        self.applied.remove()
        self.applied = apply(self.model, self.recipe, self.example)

    def finish(self, *, test: bool) -> Trial:
        """Go back to the best epoch, measure the test data there if asked, and give the trial."""
        history, best = self.history, self.history.best_epoch
        if self.best_weights is not None:
            self.model.load_state_dict(self.best_weights)
        self.model.eval()
        test_score = None
        if test and self.task.test is not None and best >= 0:
            test_score = evaluate(self.model, self.data.test(), self.plain_loss, make_metric(self.task))
        return trial_of(self.recipe, self.seed, history, test_score)
