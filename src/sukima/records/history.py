"""The history: the curves of one training run."""

from __future__ import annotations

import math
from typing import Literal

import msgspec

from sukima.base.errors import InputError

__all__ = ["History", "Status"]

Status = Literal["finished", "early_stopped", "diverged", "interrupted", "pruned", "failed"]

_CURVES = ("train_loss", "validation_loss", "train_metric", "validation_metric", "learning_rate", "seconds")


class History(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Loss and metric by epoch, on training and validation data. A curve that was not recorded is empty.

    Attributes:
        train_loss: mean loss on the training data, by epoch.
        validation_loss: mean loss on the validation data.
        train_metric: metric on the training data.
        validation_metric: metric on the validation data.
        metric: the metric's name; empty if there is none.
        metric_increases: whether a larger value of the metric is better.
        train_in_inference_mode: whether the training curves were measured with dropout off, so that they can be
            compared with validation; ``None`` if not known.
        learning_rate: the learning rate at the end of each epoch; empty where it is not known.
        seconds: wall-clock time of each epoch.
        status: how the run ended; ``pruned`` is one that a search gave up on, ``failed`` one that raised.
        note: what stopped it, if something did.
    """

    train_loss: list[float] = []
    validation_loss: list[float] = []
    train_metric: list[float] = []
    validation_metric: list[float] = []
    metric: str = ""
    metric_increases: bool = True
    train_in_inference_mode: bool | None = None
    learning_rate: list[float] = []
    seconds: list[float] = []
    status: Status = "finished"
    note: str = ""

    @property
    def epochs(self) -> int:
        """Number of epochs recorded."""
        return max(len(getattr(self, curve)) for curve in _CURVES)

    @property
    def best_epoch(self) -> int:
        """Index (from 0) of the epoch with the lowest validation loss; -1 if there is none."""
        if not self.validation_loss:
            return -1
        return min(range(len(self.validation_loss)), key=self.validation_loss.__getitem__)

    def copied(self) -> History:
        """A history of its own with the same curves."""
        return msgspec.structs.replace(self, **{curve: list(getattr(self, curve)) for curve in _CURVES})

    def check(self) -> None:
        """Raise ``InputError`` unless train and validation curves are there, equally long and finite."""
        for what in ("loss", "metric"):
            train, validation = getattr(self, f"train_{what}"), getattr(self, f"validation_{what}")
            if len(train) != len(validation):
                raise InputError(
                    "training and validation {what} must be equally long, got {train} and {validation} epochs",
                    what=what,
                    train=len(train),
                    validation=len(validation),
                )
        if not self.train_loss and not self.train_metric:
            raise InputError("a history must have training and validation curves of the loss or of a metric, got none")
        if self.train_loss and self.train_metric and len(self.train_loss) != len(self.train_metric):
            raise InputError(
                "loss and metric must be equally long, got {loss} and {metric} epochs",
                loss=len(self.train_loss),
                metric=len(self.train_metric),
            )
        for curve in _CURVES:
            if all(map(math.isfinite, getattr(self, curve))):
                continue
            for epoch, value in enumerate(getattr(self, curve), 1):
                if not math.isfinite(value):
                    raise InputError(
                        "{curve} must be finite, got {value} at epoch {epoch}", curve=curve, value=value, epoch=epoch
                    )
