"""Curves over a pair of axes.

Every element carries its values (``data-at``, ``data-from``, ``data-curve``), so that the page's script can move it
when a reader zooms or turns a phone, without knowing how anything is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from sukima.base.messages import LANGUAGES, say
from sukima.reporting.blocks import Chart, Series
from sukima.reporting.markup import Html, both, element, svg_text, void
from sukima.reporting.svg.scale import Scale, extent, tick_text, ticks
from sukima.reporting.text import Text, in_language

__all__ = ["chart_data", "draw_chart"]

WIDTH, HEIGHT = 560, 300
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 12, 40


def _x_extent(chart: Chart) -> tuple[float, float]:
    """The horizontal range, with room at the ends where single points are drawn."""
    if chart.x_range is not None:
        return chart.x_range
    values = [x for series in chart.series for x in _positions(series)]
    return extent(values, 0.06 if chart.dots else 0.0)


def _y_extent(chart: Chart) -> tuple[float, float]:
    """The vertical range shown at first."""
    if chart.y_range is not None and chart.y_range[0] < chart.y_range[1]:
        return chart.y_range
    values = [v for s in chart.series for run in (s.mean, *s.runs) for v in run]
    return extent([*values, *(end for s in chart.series for pair in s.spread for end in pair)])


def _positions(series: Series) -> Sequence[float]:
    """The positions of the longest run; ``x`` may be shorter, as the mean ends before the last run does."""
    longest = max((len(run) for run in (series.mean, *series.runs)), default=0)
    x = list(series.x)
    step = x[-1] - x[-2] if len(x) > 1 else 1.0
    while x and len(x) < longest:
        x.append(x[-1] + step)
    return x or [float(k) for k in range(1, longest + 1)]


def draw_chart(chart: Chart, index: int) -> Html:
    """The figure: caption, legend, drawing."""
    x = Scale(*_x_extent(chart), LEFT, WIDTH - RIGHT)
    y = Scale(*_y_extent(chart), HEIGHT - BOTTOM, TOP)
    drawing = element(
        "svg",
        element("clipPath", _plot_area(), id=f"clip-{index}"),
        element("g", *_grid(x, y), class_="grid"),
        element("g", *_contents(chart, x, y), class_="plot", clip_path=f"url(#clip-{index})"),
        element("g", class_="cursor"),
        *_axis_labels(chart),
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_labelledby=f"title-{index}",
        tabindex="0",
    )
    return element(
        "figure",
        element("figcaption", both(chart.title), id=f"title-{index}"),
        _legend(chart),
        element("div", drawing, class_="drawing"),
        class_="chart",
        data_chart=str(index),
    )


def _plot_area() -> Html:
    return void("rect", x=LEFT, y=TOP, width=WIDTH - LEFT - RIGHT, height=HEIGHT - TOP - BOTTOM)


def _grid(x: Scale, y: Scale) -> Iterator[Html]:
    for value in ticks(y.low, y.high, 5):
        yield void("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y(value), y2=y(value))
        yield element("text", tick_text(value), x=LEFT - 8, y=y(value) + 4, class_="tick-y")
    for value in ticks(x.low, x.high, 7):
        yield element("text", tick_text(value), x=x(value), y=HEIGHT - BOTTOM + 18, class_="tick-x")


def _axis_labels(chart: Chart) -> Iterator[Html]:
    middle = LEFT + (WIDTH - LEFT - RIGHT) / 2
    yield element("text", svg_text(chart.x_label), x=middle, y=HEIGHT - 4, class_="label-x")


def _legend(chart: Chart) -> Html:
    keys = [
        element(
            "button",
            element("i", class_=f"swatch{' dashed' if series.dashed else ''}"),
            both(series.name),
            type="button",
            class_=_role(series),
            aria_pressed="true",
            data_series=str(number),
        )
        for number, series in enumerate(chart.series)
    ]
    reset = element("button", both(say("Show all")), type="button", class_="reset", hidden=True)
    return element("div", *keys, reset, class_="legend" if len(keys) > 1 else "legend single")


def _role(series: Series) -> str:
    return f"role-{series.role} hue-{series.hue % 6}" if series.role == "other" else f"role-{series.role}"


def _contents(chart: Chart, x: Scale, y: Scale) -> Iterator[Html]:
    if chart.flat is not None:
        low, high = chart.flat
        yield void(
            "rect", class_="flat", x=x(low), width=x(high) - x(low), y=TOP, height=HEIGHT - TOP - BOTTOM,
            data_band=_data(low, high),
        )  # fmt: skip
    if chart.fill is not None:
        yield _fill(chart, chart.fill, x, y)
    for value, label in chart.lines:
        yield void("line", class_="rule", x1=x(value), x2=x(value), y1=TOP, y2=HEIGHT - BOTTOM, data_rule=_data(value))
        text = svg_text(label)
        yield element("text", text, class_="rule", x=x(value) + 5, y=TOP + 12, data_rule=_data(value))
    for number, series in enumerate(chart.series):
        yield element("g", *_series(chart, series, number, x, y), class_=_role(series), data_series=str(number))


def _series(chart: Chart, series: Series, number: int, x: Scale, y: Scale) -> Iterator[Html]:
    positions = _positions(series)
    for index, run in enumerate(series.runs):
        if chart.dots:
            yield from _dots(positions, run, x, y, "seed")
        else:
            yield void("path", class_="run", d=_path(positions, run, x, y), data_curve=f"{number} {index}")
    for place, (low, high) in zip(positions, series.spread, strict=False):
        yield void(
            "line", class_="whisker", x1=x(place), x2=x(place), y1=y(low), y2=y(high),
            data_from=_data(place, low), data_to=_data(place, high),
        )  # fmt: skip
    style = "mean dashed" if series.dashed else "mean"
    yield void("path", class_=style, d=_path(positions, series.mean, x, y), data_curve=f"{number} mean")
    if chart.dots:
        yield from _dots(positions, series.mean, x, y, "middle")
    for mark in series.marks:
        dot = element("title", _plain(mark.label))
        yield element(
            "circle", dot, class_="mark", cx=x(mark.x), cy=y(mark.y), r=5.0 if chart.dots else 3.0,
            data_at=_data(mark.x, mark.y),
        )  # fmt: skip
        if chart.dots:
            text = svg_text(mark.label)
            yield element(
                "text", text, class_="mark", x=x(mark.x) + 9, y=y(mark.y) - 9, data_label=_data(mark.x, mark.y)
            )


def _data(*values: float) -> str:
    """Values for an attribute, short, whatever library their numbers come from."""
    return " ".join(f"{value:.7g}" for value in values)


def _plain(label: Text) -> str:
    """A label that cannot switch language (an SVG title is not styled): in both, where they differ."""
    return " / ".join(dict.fromkeys(in_language(label, language) for language in LANGUAGES))


def _dots(positions: Sequence[float], values: Sequence[float], x: Scale, y: Scale, kind: str) -> Iterator[Html]:
    for place, value in zip(positions, values, strict=False):
        if math.isfinite(value):
            radius = 2.2 if kind == "seed" else 3.6
            yield void("circle", class_=kind, cx=x(place), cy=y(value), r=radius, data_at=_data(place, value))


def _path(positions: Sequence[float], values: Sequence[float], x: Scale, y: Scale) -> str:
    """A line through the finite values; it is broken where one is not."""
    parts, down = [], False
    for place, value in zip(positions, values, strict=False):
        if math.isfinite(value):
            parts.append(f"{'L' if down else 'M'}{x(place):.1f} {y(value):.1f}")
        down = math.isfinite(value)
    return "".join(parts)


def _fill(chart: Chart, pair: tuple[int, int], x: Scale, y: Scale) -> Html:
    lower, upper = (chart.series[index] for index in pair)
    count = min(len(lower.mean), len(upper.mean))
    there = _path(lower.x[:count], lower.mean[:count], x, y)
    back = _path(upper.x[:count][::-1], upper.mean[:count][::-1], x, y)
    path = f"{there}L{back[1:]}Z" if there and back else ""
    return void("path", class_=f"fill {_role(upper)}", d=path, data_fill=f"{pair[0]} {pair[1]}")


def chart_data(chart: Chart) -> dict[str, Any]:
    """What the page's script needs to move and read out the curves."""
    return {
        "x": _x_extent(chart),
        "y": _y_extent(chart),
        "series": [
            {"x": _short(_positions(s)), "mean": _short(s.mean), "runs": [_short(run) for run in s.runs]}
            for s in chart.series
        ],
    }


def _short(values: Sequence[float]) -> list[float | None]:
    return [float(f"{value:.5g}") if math.isfinite(value) else None for value in values]
