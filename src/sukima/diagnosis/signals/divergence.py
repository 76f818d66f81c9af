"""Training that went wrong: worse at its end than at its start."""

from __future__ import annotations

from sukima.diagnosis.curves import Array
from sukima.diagnosis.signals.gap import end_level
from sukima.diagnosis.signals.noise import noise_level

__all__ = ["has_diverged"]


def has_diverged(train: Array) -> bool:
    """Whether the training curve ended above its first epoch by more than its noise.

    A validation loss may end above its start through overfitting alone, so that only training counts here.
    """
    return end_level(train) > float(train[0]) + 3 * noise_level(train)
