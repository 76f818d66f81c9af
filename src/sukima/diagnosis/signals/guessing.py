"""Training that is no better than guessing."""

from __future__ import annotations

import math

from sukima.diagnosis.curves import Array
from sukima.diagnosis.signals.gap import end_level

__all__ = ["beyond_guessing"]

LOW = 0.25
"""Above this share of right answers a model has learned something, whatever its loss."""


def beyond_guessing(train: Array, shares: Array) -> float | None:
    """Training loss at the end beyond that of an honest guess, in nats; ``None`` where the accuracy is not that low.

    Who is right once in *k* times by guessing, and says so, pays log *k*. A cross-entropy above that, with no
    accuracy to show for it, is what a run that blew up and came back looks like.
    """
    if not len(shares):
        return None
    right = end_level(shares)
    return None if right > LOW else end_level(train) + math.log(max(right, 1e-3))
