"""Since when a curve has been level."""

from __future__ import annotations

import numpy as np

from sukima.diagnosis.curves import Array
from sukima.diagnosis.signals.noise import noise_level
from sukima.diagnosis.signals.smoothing import smooth

__all__ = ["plateau_since"]


def plateau_since(curve: Array) -> int | None:
    """The first position from which the smoothed curve stays within three noise levels and 1 % of its end.

    ``None`` where that is not at least the last quarter of the curve.
    """
    smoothed = smooth(curve)
    near = 3 * noise_level(curve) + 0.01 * abs(float(smoothed[-1]))
    away = np.flatnonzero(np.abs(smoothed - smoothed[-1]) > near)
    since = int(away[-1]) + 1 if len(away) else 0
    return since if since <= 0.75 * len(curve) else None
