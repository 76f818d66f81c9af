"""A training curve that was measured with dropout on, or as a running mean while the weights still improved."""

from __future__ import annotations

from sukima.diagnosis.curves import Array

__all__ = ["share_below_training"]


def share_below_training(train: Array, validation: Array) -> float:
    """Share of the epochs, after the first, in which validation was better than training.

    Measured alike, validation is rarely better. A share above one half says that training carries dropout,
    augmentation or a running mean, or that validation data are easier or leak.
    """
    later = slice(1, None) if len(train) > 1 else slice(None)
    return float((validation[later] < train[later]).mean())
