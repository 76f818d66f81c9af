"""Loss and metric that disagree: the loss on validation rises while the accuracy holds."""

from __future__ import annotations

from sukima.diagnosis.curves import Array
from sukima.diagnosis.signals.noise import noise_level
from sukima.diagnosis.signals.smoothing import smooth

__all__ = ["accuracy_lost"]


def accuracy_lost(shares: Array, since: int) -> tuple[float, float]:
    """Validation accuracy lost since position ``since``, and the noise of one epoch, both as fractions.

    Where the loss rose and the accuracy did not fall, the model is not more often wrong but too sure of itself: its
    calibration suffers, which label smoothing or temperature scaling cures more cheaply than anything else.
    """
    smoothed = smooth(shares)
    return float(smoothed[since] - smoothed[-1]), noise_level(shares)
