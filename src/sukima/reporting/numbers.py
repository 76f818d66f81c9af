"""How numbers are written in a report."""

from __future__ import annotations

import math

from sukima.base.messages import Message, say
from sukima.records.result import Difference
from sukima.reporting.text import Text

__all__ = ["alike", "count", "duration", "interval", "number", "rate_text", "signed"]

MINUS = "\u2212"


def number(value: float | None, digits: int = 4) -> str:
    """``value`` with so many decimals, fewer from 10 on: ``0.1163``, ``2.3026``, ``12.302``, ``3.20e-07``.

    A small value keeps two digits that say something: ``0.00034``. ``None`` and NaN are a dash.
    """
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    if value and not 1e-4 <= abs(value) < 1e6:
        text = f"{value:.{max(digits - 2, 0)}e}"
    elif abs(value) >= 1:
        text = f"{value:.{max(digits + 1 - len(str(int(abs(value)))), 0)}f}"
    else:
        useful = 1 - math.floor(math.log10(abs(value))) if value else 0
        text = f"{value:.{max(digits, useful)}f}"
    return text.replace("-", MINUS, 1) if text.startswith("-") else text


def alike(value: float, text: str) -> str:
    """``value`` with as many decimals as ``text``, the number it stands beside."""
    if "e" in text:
        return number(value, 2)
    return f"{value:.{len(text.partition('.')[2])}f}"


def rate_text(rate: float) -> str:
    """A rate, short: ``0.4``."""
    return f"{rate:.3g}"


def signed(value: float | None, digits: int = 4) -> str:
    """As `number`, with its sign always there."""
    text = number(value, digits)
    return f"+{text}" if value is not None and value > 0 else text


def interval(difference: Difference) -> Text:
    """The ends of a difference's interval, ``+0.007 to +0.025``."""
    if not (math.isfinite(difference.low) and math.isfinite(difference.high)):
        return say("unknown (one seed)") if len(difference.gains) < 2 else say("unknown")
    decimals = _decimals(difference.high - difference.low)
    low, high = (_fixed(value, decimals) for value in (difference.low, difference.high))
    return say("{low} to {high}", low=low, high=high)


def _decimals(width: float) -> int:
    return 3 if width <= 0 else min(max(1 - math.floor(math.log10(width)), 1), 8)


def _fixed(value: float, decimals: int) -> str:
    text = f"{value:+.{decimals}f}"
    return text.replace("-", MINUS, 1)


def count(value: int) -> str:
    """A whole number with its thousands apart: ``60,000``."""
    return f"{value:,}"


def duration(seconds: float) -> Message:
    """A time as a person says it: ``0.8 s``, ``42 s``, ``3 min 20 s``, ``2 h 5 min``."""
    if seconds < 10:
        return say("{seconds} s", seconds=f"{seconds:.1f}")
    whole = round(seconds)
    if whole < 60:
        return say("{seconds} s", seconds=whole)
    if whole < 3600:
        return say("{minutes} min {seconds} s", minutes=whole // 60, seconds=whole % 60)
    return say("{hours} h {minutes} min", hours=whole // 3600, minutes=whole % 3600 // 60)
