"""Argument checks: one wording for every bad argument, ``p must be in [0, 1], got 1.5``."""

from __future__ import annotations

import math
import numbers
import reprlib
from collections.abc import Collection, Iterable
from typing import Any

from sukima.base.errors import InputError

__all__ = [
    "check_choice",
    "check_count",
    "check_instance",
    "check_number",
    "check_rate",
    "shown",
]

_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = 80


def shown(value: Any) -> str:
    """How a wrong value appears in a message: short, on one line, with control characters escaped."""
    text = _repr.repr(value)
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def check_number(
    name: str,
    value: Any,
    *,
    minimum: float = -math.inf,
    maximum: float = math.inf,
    above: float = -math.inf,
    below: float = math.inf,
) -> float:
    """``value`` as a float, if it is a real finite number within the bounds (``above`` and ``below`` are strict)."""
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        number = float(value)
        if math.isfinite(number) and minimum <= number <= maximum and above < number < below:
            return number
    expected = _interval(minimum, maximum, above, below)
    raise InputError("{name} must be {expected}, got {value}", name=name, expected=expected, value=shown(value))


def _interval(minimum: float, maximum: float, above: float, below: float) -> str:
    low, opening = (above, "(") if above >= minimum else (minimum, "[")
    high, closing = (below, ")") if below <= maximum else (maximum, "]")
    if math.isinf(low) and math.isinf(high):
        return "a finite number"
    if math.isinf(high):
        return f"a finite number {'>' if opening == '(' else '>='} {low:g}"
    if math.isinf(low):
        return f"a finite number {'<' if closing == ')' else '<='} {high:g}"
    return f"in {opening}{low:g}, {high:g}{closing}"


def check_rate(name: str, value: Any) -> float:
    """``value`` as a float, if it is a probability of dropping in [0, 1]."""
    return check_number(name, value, minimum=0, maximum=1)


def check_count(name: str, value: Any, *, minimum: int = 1) -> int:
    """``value`` as an int, if it is a whole number of at least ``minimum``."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < minimum:
        raise InputError(
            "{name} must be a whole number of at least {minimum}, got {value}",
            name=name,
            minimum=minimum,
            value=shown(value),
        )
    return int(value)


def check_choice(name: str, value: Any, choices: Collection[str]) -> str:
    """``value``, if it is one of ``choices``."""
    if not isinstance(value, str) or value not in choices:
        raise InputError(
            "{name} must be one of {choices}, got {value}",
            name=name,
            choices=", ".join(map(repr, sorted(choices))),
            value=shown(value),
        )
    return value


def check_instance(name: str, value: Any, kinds: type | Iterable[type], expected: str | None = None) -> None:
    """Raise unless ``value`` is an instance of ``kinds``; ``expected`` says it in words."""
    kinds = (kinds,) if isinstance(kinds, type) else tuple(kinds)
    if not isinstance(value, kinds):
        raise InputError(
            "{name} must be {expected}, got {value}",
            name=name,
            expected=expected or " | ".join(k.__name__ for k in kinds),
            value=f"{type(value).__name__} {shown(value)}",
        )
