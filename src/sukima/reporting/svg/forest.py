"""Intervals one above the other, and the line of no difference. Places are shares of the width, so it fits any."""

from __future__ import annotations

import math
from collections.abc import Iterator

from sukima.reporting.blocks import Forest, ForestRow
from sukima.reporting.markup import Html, both, element, void
from sukima.reporting.numbers import signed
from sukima.reporting.svg.scale import Scale, extent, tick_text, ticks

__all__ = ["draw_forest"]

HEIGHT = 38


def draw_forest(forest: Forest, index: int) -> Html:
    """The figure: caption, one row an arm, the scale below."""
    ends = [end for row in forest.rows for end in (row.low, row.high, row.mean, *row.gains, 0.0)]
    x = Scale(*extent(ends, 0.05), 0, 100)
    shown = ticks(x.low, x.high, 5)
    rows = [_row(row, x, shown) for row in forest.rows]
    labels = [element("text", tick_text(v), x=_percent(x(v)), y=16, class_="tick-x") for v in shown if 3 < x(v) < 97]
    scale = element("svg", *labels, height=22, aria_hidden="true")
    return element(
        "figure",
        element("figcaption", both(forest.title), id=f"title-{index}"),
        element("div", *rows, element("div", scale, class_="row scale"), class_="rows"),
        element("p", both(forest.label), class_="note"),
        class_="forest",
    )


def _percent(value: float) -> str:
    return f"{value:.2f}%"


def _row(row: ForestRow, x: Scale, shown: list[float]) -> Html:
    hue = f"hue-{row.hue % 6}" if row.role == "other" else ""
    drawing = element(
        "svg", *_picture(row, x, shown), height=HEIGHT, class_=f"role-{row.role} {hue}".strip(), aria_hidden="true"
    )
    name = element("span", both(row.name), class_="name")
    return element("div", name, drawing, element("span", signed(row.mean), class_="value"), class_="row")


def _picture(row: ForestRow, x: Scale, shown: list[float]) -> Iterator[Html]:
    middle = HEIGHT / 2 - 3
    for value in (*shown, 0.0):
        place = _percent(x(value))
        # Longer than the row, for one whose name takes several lines.
        yield void("line", x1=place, x2=place, y1=-HEIGHT, y2=2 * HEIGHT, class_="zero" if value == 0 else "tick")
    for gain in row.gains:
        if math.isfinite(gain):
            yield void("circle", cx=_percent(x(gain)), cy=middle + 11, r=2.2, class_="seed")
    if math.isfinite(row.low) and math.isfinite(row.high):
        low, high = _percent(x(row.low)), _percent(x(row.high))
        yield void("line", x1=low, x2=high, y1=middle, y2=middle, class_="interval")
    if math.isfinite(row.mean):
        yield void(
            "circle", cx=_percent(x(row.mean)), cy=middle, r=5.5, class_=f"middle {row.outcome.replace(' ', '-')}"
        )
