"""Whether validation still follows training."""

from __future__ import annotations

from sukima.diagnosis.curves import Array

__all__ = ["follows"]


def follows(train: Array, validation: Array, share: float) -> float:
    """How far validation moves for each unit that training moves, over the last ``share`` of smoothed curves.

    1 where both fall alike, 0 where training falls alone, negative where validation rises while training falls.
    """
    count = max(3, int(share * len(train)))
    x = train[-count:] - train[-count:].mean()
    y = validation[-count:] - validation[-count:].mean()
    return float(x @ y / (x @ x + 1e-12))
