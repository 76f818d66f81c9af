"""Intervals one above the other, and the line of no difference."""

from __future__ import annotations

import math
from collections.abc import Iterator

from sukima.report.blocks import Forest, ForestRow
from sukima.report.markup import Html, both, element, svg_text, void
from sukima.report.numbers import signed
from sukima.report.svg.scale import Scale, extent, tick_text, ticks

__all__ = ["draw_forest"]

WIDTH, ROW, LEFT, RIGHT, TOP, BOTTOM = 760, 38, 170, 84, 10, 44


def draw_forest(forest: Forest, index: int) -> Html:
    """The figure: caption, one row an arm, the scale below."""
    height = TOP + ROW * len(forest.rows) + BOTTOM
    ends = [end for row in forest.rows for end in (row.low, row.high, row.mean, *row.gains, 0.0)]
    x = Scale(*extent(ends, 0.04), LEFT, WIDTH - RIGHT)
    rows = [part for number, row in enumerate(forest.rows) for part in _row(row, TOP + ROW * (number + 0.5), x)]
    drawing = element(
        "svg",
        element("g", *_scale(forest, x, height), class_="grid"),
        *rows,
        viewBox=f"0 0 {WIDTH} {height}",
        role="img",
        aria_labelledby=f"title-{index}",
    )
    caption = element("figcaption", both(forest.title), id=f"title-{index}")
    return element("figure", caption, element("div", drawing, class_="drawing"), class_="forest")


def _scale(forest: Forest, x: Scale, height: float) -> Iterator[Html]:
    bottom = height - BOTTOM
    for value in ticks(x.low, x.high, 7):
        yield void("line", x1=x(value), x2=x(value), y1=TOP, y2=bottom)
        yield element("text", tick_text(value), x=x(value), y=bottom + 18, class_="tick-x")
    yield void("line", x1=x(0), x2=x(0), y1=TOP, y2=bottom, class_="zero")
    yield element("text", svg_text(forest.label), x=(x.start + x.end) / 2, y=height - 6, class_="label-x")


def _row(row: ForestRow, y: float, x: Scale) -> Iterator[Html]:
    yield element("text", svg_text(row.name), x=LEFT - 14, y=y + 4, class_=f"name role-{row.role}")
    marks = [void("circle", cx=x(gain), cy=y + 9, r=2.2, class_="seed") for gain in row.gains if math.isfinite(gain)]
    if math.isfinite(row.low) and math.isfinite(row.high):
        marks.append(void("line", x1=x(row.low), x2=x(row.high), y1=y, y2=y, class_="interval"))
    if math.isfinite(row.mean):
        marks.append(void("circle", cx=x(row.mean), cy=y, r=5.5, class_=f"middle {row.outcome.replace(' ', '-')}"))
        yield element("text", signed(row.mean), x=WIDTH - RIGHT + 14, y=y + 4, class_="value")
    yield element("g", *marks, class_=f"role-{row.role}")
