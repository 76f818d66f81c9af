"""The report's figures with matplotlib, for papers and slides: static, from the same data as the page.

Texts are in the language in force; Japanese needs a font that has it, and falls back to English where there is none.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sukima.base.errors import InputError
from sukima.base.imports import require
from sukima.base.messages import Language, current_language
from sukima.reporting.blocks import Block, Chart, Forest, Panels, Role, Series
from sukima.reporting.text import Text, in_language
from sukima.reporting.write import Result, document_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_chart", "plot_forest", "plot_section"]

_COLOURS: dict[Role, str] = {"baseline": "#70757d", "winner": "#0067a8", "guideline": "#b45f06", "other": "#007a5a"}
_HUES = ("#007a5a", "#a6428c", "#2f8fc4", "#8a6d00", "#c2410c", "#5a4fcf")
_JAPANESE = ("Noto Sans CJK JP", "Noto Sans JP", "IPAexGothic", "Hiragino Sans", "Yu Gothic", "Meiryo")


def plot_section(result: Result, section: str) -> Figure:
    """The charts of one section of the report side by side: ``curves``, ``ladder`` or ``comparison``.

    Raises:
        InputError: the report on ``result`` has no such section, or it has no charts.
    """
    drawable = {part.name: list(_figures(part.blocks)) for part in document_of(result).sections}
    drawable = {name: figures for name, figures in drawable.items() if figures}
    if section not in drawable:
        raise InputError(
            "section must be one of {choices}, got {value}",
            choices=", ".join(map(repr, drawable)),
            value=repr(section),
        )
    figures = drawable[section]
    across = min(len(figures), 2)
    down = -(-len(figures) // across)
    plt = require("matplotlib.pyplot", "report")
    with plt.rc_context(_style()):
        figure, axes = plt.subplots(down, across, figsize=(5.2 * across, 3.4 * down), squeeze=False, layout="tight")
        for place, block in zip(axes.flat, figures, strict=False):
            plot_chart(block, place) if isinstance(block, Chart) else plot_forest(block, place)
        for place in axes.flat[len(figures) :]:
            place.remove()
    return figure  # type: ignore[no-any-return]


def _figures(blocks: Iterable[Block]) -> Iterable[Chart | Forest]:
    for block in blocks:
        if isinstance(block, Panels):
            yield from block.charts
        elif isinstance(block, Chart | Forest):
            yield block


def _language() -> Language:
    return "ja" if current_language() == "ja" and _japanese_fonts() else "en"


def _japanese_fonts() -> list[str]:
    names = set(require("matplotlib.font_manager", "report").get_font_names())
    return [name for name in _JAPANESE if name in names]


def _style() -> dict[str, Any]:
    return {
        "font.family": ["DejaVu Sans", *_japanese_fonts()],
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.unicode_minus": False,
    }


def _shown(text: Text) -> str:
    return in_language(text, _language()).replace("$", r"\$")  # a dollar sign would begin a formula


def _colour(role: Role, hue: int) -> str:
    return _HUES[hue % len(_HUES)] if role == "other" else _COLOURS[role]


def plot_chart(chart: Chart, axes: Axes) -> None:
    """Draw a chart of the report into ``axes``."""
    for series in chart.series:
        _draw(chart, series, axes)
    if chart.fill is not None:
        first, second = (chart.series[index] for index in chart.fill)
        count = min(len(first.mean), len(second.mean))
        axes.fill_between(
            first.x[:count], first.mean[:count], second.mean[:count], color=_colour(second.role, second.hue), alpha=0.1
        )
    if chart.flat is not None:
        axes.axvspan(*chart.flat, color=_COLOURS["winner"], alpha=0.07)
    for position, label in chart.lines:
        axes.axvline(position, color="#b3361b", linestyle=":")
        axes.annotate(_shown(label), (position, 1), xycoords=("data", "axes fraction"), color="#b3361b", va="top")
    if chart.x_range is not None:
        axes.set_xlim(*chart.x_range)
    if chart.y_range is not None:
        axes.set_ylim(*chart.y_range)
    axes.set(title=_shown(chart.title), xlabel=_shown(chart.x_label), ylabel=_shown(chart.y_label))
    if len(chart.series) > 1:
        axes.legend(frameon=False)


def _draw(chart: Chart, series: Series, axes: Axes) -> None:
    colour = _colour(series.role, series.hue)
    for run in series.runs:
        axes.plot(
            _positions(series, len(run)),
            run,
            "." if chart.dots else "-",
            color=colour,
            alpha=0.25,
            linewidth=0.8,
            markersize=4,
        )
    for x, ends in zip(series.x, series.spread, strict=False):
        axes.plot([x, x], ends, color=colour)
    style = "--" if series.dashed else "-o" if chart.dots else "-"
    axes.plot(series.x, series.mean, style, color=colour, linewidth=1.8, markersize=4, label=_shown(series.name))
    for mark in series.marks:
        axes.plot(mark.x, mark.y, "o", markerfacecolor="white", markeredgecolor=colour)


def _positions(series: Series, length: int) -> Sequence[float]:
    """The positions of a run, which may be longer than the mean."""
    step = series.x[1] - series.x[0] if len(series.x) > 1 else 1.0
    first = series.x[0] if series.x else 1.0
    return series.x[:length] if length <= len(series.x) else [first + step * k for k in range(length)]


def plot_forest(forest: Forest, axes: Axes) -> None:
    """Draw the intervals of a comparison into ``axes``."""
    axes.axvline(0, color="#5b636e", linewidth=1)
    for place, row in enumerate(forest.rows):
        colour = _colour(row.role, row.hue)
        if math.isfinite(row.low) and math.isfinite(row.high):
            axes.plot([row.low, row.high], [place, place], color=colour, linewidth=2.5, solid_capstyle="round")
        filled = "white" if row.outcome == "no difference" else colour
        axes.plot(row.mean, place, "o", markerfacecolor=filled, markeredgecolor=colour)
        axes.plot(row.gains, [place + 0.2] * len(row.gains), ".", color=colour, alpha=0.35, markersize=4)
    axes.set_yticks(range(len(forest.rows)), [_shown(row.name) for row in forest.rows])
    axes.set_ylim(len(forest.rows) - 0.5, -0.5)
    axes.set(title=_shown(forest.title), xlabel=_shown(forest.label))
