"""What diagnose is compared with: the plain rules of teaching, and patience as Keras' early stopping has it."""

from __future__ import annotations

import math

import numpy as np

from sukima.records.history import History


def plain_rules(history: History) -> tuple[str, int | None]:
    """Verdict and best epoch by the rules of teaching, on the curves as they are.

    Overfitting where training fell while validation turned up, or at 95 % training accuracy with validation 10 points
    behind; underfitting where both accuracies are low; unfinished where validation still falls by 5 % over the last
    third; healthy otherwise.
    """
    if not all(map(math.isfinite, (*history.train_loss, *history.validation_loss))):
        return "diverged", None
    train, validation = np.array(history.train_loss), np.array(history.validation_loss)
    if train[-1] > train[0]:
        return "diverged", None
    best = int(validation.argmin())
    accuracies = (history.train_metric[-1], history.validation_metric[-1]) if history.train_metric else None
    if validation[-1] > validation[best] and train[-1] < train[best]:
        return "overfitting", best + 1
    if accuracies and accuracies[0] >= 0.95 and accuracies[0] - accuracies[1] >= 0.1:
        return "overfitting", best + 1
    if validation[-1] < 0.95 * validation[-1 - max(1, len(validation) // 3)]:
        return "unfinished", None
    if accuracies and max(accuracies) < 0.8:
        return "underfitting", None
    return "healthy", None


def tolerant_rules(history: History) -> tuple[str, int | None]:
    """The same, but validation must have risen by one percent."""
    verdict, best = plain_rules(history)
    validation = history.validation_loss
    if verdict == "overfitting" and validation[-1] < 1.01 * min(validation):
        return "healthy", None
    return verdict, best


def patience(history: History, epochs: int = 5) -> tuple[str, int | None]:
    """What early stopping with patience concludes: it stopped, or it did not."""
    if not all(map(math.isfinite, (*history.train_loss, *history.validation_loss))):
        return "diverged", None
    best = int(np.argmin(history.validation_loss))
    if len(history.validation_loss) - 1 - best >= epochs:
        return "overfitting", best + 1
    return "unfinished", None
