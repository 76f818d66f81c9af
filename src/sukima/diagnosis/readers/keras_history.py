"""A dict from names to lists of values: Keras' ``History.history``, in memory or as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sukima.base.checks import check_instance, shown
from sukima.base.errors import InputError
from sukima.diagnosis.readers.align import to_reading
from sukima.diagnosis.readers.reading import Reading
from sukima.diagnosis.readers.rows import MOST_COLUMNS
from sukima.diagnosis.readers.table import Series, Table, number
from sukima.diagnosis.readers.text import clean_name

__all__ = ["read_object", "table_of"]


def read_object(history: Any, mapping: Mapping[str, str] | None = None) -> Reading:
    """A history in memory: such a dict, or an object that has one as ``.history``, as Keras' ``History`` does."""
    curves = history if isinstance(history, Mapping) else getattr(history, "history", None)
    check_instance(
        "history",
        curves if isinstance(curves, Mapping) else history,
        Mapping,
        "a file, a History, a dict of curves, an object with such a .history, or a list of these",
    )
    return to_reading(table_of(curves or {}, strict=True), mapping)


def table_of(curves: Mapping[Any, Any], *, source: str = "", strict: bool = False) -> Table:
    """The table of a dict of lists; entries that hold no numbers are left out, in strict form refused."""
    series: dict[str, Series] = {}
    for name, values in curves.items():
        numbers = _numbers(values)
        if numbers is None:
            if strict and hasattr(values, "__len__") and not isinstance(values, str | Mapping):
                raise InputError(
                    "history[{name}] must hold numbers only, got {value}", name=shown(name), value=shown(values)
                )
            continue
        series[clean_name(name, 200)] = Series.of(numbers)
        if len(series) >= MOST_COLUMNS:
            break
    return Table(series, source, "Keras History", by_position=True)


def _numbers(values: Any) -> list[float] | None:
    if hasattr(values, "tolist"):
        values = values.tolist()
    if not isinstance(values, list | tuple):
        one = number(values) if not isinstance(values, str) else None
        return None if one is None else [one]
    numbers = [number(v.item() if hasattr(v, "item") else v) for v in values]
    return None if any(n is None for n in numbers) else [n for n in numbers if n is not None]
