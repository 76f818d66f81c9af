"""The gap between training and validation at the end of a run, and whether it still grows."""

from __future__ import annotations

from sukima.diagnosis.curves import Array
from sukima.diagnosis.signals.progress import Trend, end_trend

__all__ = ["end_level", "gap_at_end", "gap_trend"]


def end_level(curve: Array) -> float:
    """Mean of the last tenth of the curve, at least one epoch: what the run ended with, less the noise of one epoch."""
    return float(curve[-max(1, len(curve) // 10) :].mean())


def gap_at_end(train: Array, validation: Array) -> float:
    """Validation minus training at the end; positive where the model does worse on new data."""
    return end_level(validation) - end_level(train)


def gap_trend(train: Array, validation: Array) -> Trend:
    """How the gap changes per factor *e* of training time over the later half; positive where it widens."""
    return end_trend(validation - train)
