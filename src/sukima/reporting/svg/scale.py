"""Axes: from values to places in a drawing, and where the ticks go."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Scale", "extent", "tick_text", "ticks"]


@dataclass(frozen=True)
class Scale:
    """A straight map from ``low … high`` to ``start … end``."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Where ``value`` lies."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def extent(values: Iterable[float], room: float = 0.05) -> tuple[float, float]:
    """The range of the finite values with some room; (0, 1) if there are none."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return 0.0, 1.0
    low, high = min(finite), max(finite)
    pad = (high - low) * room if high > low else abs(high) * 0.1 or 1.0
    return low - pad, high + pad


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round values within the range, at most ``most`` of them: steps of 1, 2 or 5 times a power of ten."""
    rough = (high - low) / max(most, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [float(f"{index * step:.10g}") for index in range(first, last + 1)]


def tick_text(value: float) -> str:
    """A tick's value, short."""
    return f"{value:.6g}".replace("-", "\u2212")
