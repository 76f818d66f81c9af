"""The report in the terminal: the answer first, then tables; curves as small pictures made of characters."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.syntax import Syntax
from rich.table import Table as RichTable
from rich.text import Text as RichText

from sukima.base.messages import current_language
from sukima.reporting.blocks import (
    Chart,
    Code,
    Document,
    Facts,
    Forest,
    Headline,
    List,
    Network,
    Panels,
    Paragraph,
    Role,
    Series,
    Table,
    Tone,
)  # fmt: skip
from sukima.reporting.numbers import number, signed
from sukima.reporting.text import Text, in_language, visible

__all__ = ["print_document"]

_TONES: dict[Tone, str] = {"good": "green", "bad": "red", "warning": "yellow", "neutral": "cyan"}
_ROLES: dict[Role, str] = {"winner": "bold cyan", "baseline": "", "guideline": "yellow", "other": ""}
_ROOMY = 110
"""Columns of a terminal from which on tables show their details."""

_STEPS = "▁▂▃▄▅▆▇█"


def print_document(document: Document, console: Console | None = None, *, full: bool = False) -> None:
    """Print the sections that belong in a terminal (all of them with ``full``), in the language in force."""
    console = console or Console()
    for section in document.sections:
        if not (section.brief or full):
            continue
        if section.name != "verdict":
            console.print()
            console.print(Rule(_text(section.title, "bold"), align="left", style="dim"))
        for block in section.blocks:
            for part in _table(block, console.width) if isinstance(block, Table) else _DRAW[type(block)](block):
                console.print(part)


def _text(text: Text, style: str = "") -> RichText:
    return RichText(in_language(text, current_language()), style=style)


def _headline(block: Headline) -> Sequence[RenderableType]:
    colour = _TONES[block.tone]
    body = Group(_text(block.answer, f"bold {colour}"), _text(block.detail))
    return [Panel(body, title=_text(block.question), title_align="left", border_style=colour)]


def _paragraph(block: Paragraph) -> Sequence[RenderableType]:
    return [_text(block.text, "dim" if block.muted else "")]


def _list(block: List) -> Sequence[RenderableType]:
    # A grid: Japanese has no blanks, so that in one text the only place to break would be behind the dot.
    table = RichTable.grid(padding=(0, 1, 0, 0))
    table.add_column()
    table.add_column(overflow="fold")
    for item in block.items:
        table.add_row("•", _text(item))
    return [_text(block.title, "bold"), table]


def _facts(block: Facts) -> Sequence[RenderableType]:
    table = RichTable.grid(padding=(0, 2))
    for fact in block.facts:
        table.add_row(
            _text(fact.label, "dim"), _text(fact.value, "bold" if block.large else ""), _text(fact.note, "dim")
        )
    return [Padding(table, (0, 1))]


def _table(block: Table, width: int) -> Sequence[RenderableType]:
    shown = [k for k, column in enumerate(block.columns) if width >= _ROOMY or not column.detail]
    title = _text(block.caption, "bold") if block.caption else None
    table = RichTable(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 2, 0, 0), pad_edge=False)
    for k in shown:
        table.add_column(_text(block.columns[k].label), justify="right" if block.columns[k].number else "left")
    for row in block.rows:
        table.add_row(*(_text(row.cells[k]) for k in shown), style=_ROLES[row.role])
    return [table]


def _code(block: Code) -> Sequence[RenderableType]:
    brief = [sample for sample in block.samples if sample.brief]
    return [Syntax(visible(sample.code.rstrip(), lines=True), "python", background_color="default") for sample in brief]


def _panels(block: Panels) -> Sequence[RenderableType]:
    return [part for chart in block.charts for part in _chart(chart)]


def _chart(block: Chart) -> Sequence[RenderableType]:
    table = RichTable.grid(padding=(0, 2))
    for series in block.series:
        if not series.mean:
            continue
        first, last = number(series.mean[0]), number(series.mean[-1])
        range_ = block.y_range or _range(series)
        table.add_row(
            _text(series.name), RichText(sparkline(series.mean, *range_), _ROLES[series.role]), f"{first} → {last}"
        )
    return [_text(block.title, "bold"), Padding(table, (0, 1))]


def _range(series: Series) -> tuple[float, float]:
    finite = [value for value in series.mean if math.isfinite(value)]
    return (min(finite), max(finite)) if finite else (0.0, 1.0)


def sparkline(values: Sequence[float], low: float, high: float, width: int = 40) -> str:
    """A row of characters whose heights follow ``values``; what is not finite is a space."""
    width = min(width, len(values))
    picked = [values[i * len(values) // width] for i in range(width)]
    scale = (len(_STEPS) - 1) / (high - low) if high > low else 0.0
    steps = [round(min(max((v - low) * scale, 0), len(_STEPS) - 1)) if math.isfinite(v) else None for v in picked]
    return "".join(" " if step is None else _STEPS[step] for step in steps)


def _forest(block: Forest) -> Sequence[RenderableType]:
    ends = [end for row in block.rows for end in (row.low, row.high, row.mean, 0.0) if math.isfinite(end)]
    if not ends or min(ends) == max(ends):
        return []
    table = RichTable.grid(padding=(0, 2))
    for row in block.rows:
        picture = interval_picture(row.low, row.mean, row.high, min(ends), max(ends))
        table.add_row(_text(row.name), RichText(picture, _ROLES[row.role]), signed(row.mean))
    return [_text(block.title, "bold"), Padding(table, (0, 1)), _text(block.label, "dim")]


def interval_picture(low: float, mean: float, high: float, left: float, right: float, width: int = 44) -> str:
    """``├──●──┤`` on a scale from ``left`` to ``right``, with the line of no difference."""

    def place(value: float) -> int:
        return round((min(max(value, left), right) - left) / (right - left) * (width - 1))

    cells = [" "] * width
    if math.isfinite(low) and math.isfinite(high):
        cells[place(low) : place(high) + 1] = "─" * (place(high) - place(low) + 1)
        cells[place(low)], cells[place(high)] = "├", "┤"
    cells[place(0.0)] = "┼" if cells[place(0.0)] == "─" else "│"
    if math.isfinite(mean):
        cells[place(mean)] = "●"
    return "".join(cells)


def _network(block: Network) -> Sequence[RenderableType]:
    """The table of sites beside it says the same in characters."""
    del block
    return []


_DRAW: dict[type, Callable[[Any], Sequence[RenderableType]]] = {
    Headline: _headline,
    Paragraph: _paragraph,
    List: _list,
    Facts: _facts,
    Code: _code,
    Panels: _panels,
    Chart: _chart,
    Forest: _forest,
    Network: _network,
}
