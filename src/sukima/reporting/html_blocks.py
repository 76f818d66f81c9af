"""Each block as HTML."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sukima.base.messages import say
from sukima.reporting.blocks import (
    Block,
    Chart,
    Code,
    Facts,
    Forest,
    Headline,
    List,
    Network,
    Panels,
    Paragraph,
    Table,
)  # fmt: skip
from sukima.reporting.markup import Html, both, element, void
from sukima.reporting.svg.chart import chart_data, draw_chart
from sukima.reporting.svg.forest import draw_forest
from sukima.reporting.svg.network import draw_network, masks_data
from sukima.reporting.text import visible

__all__ = ["Page"]

LONG = 30
"""Rows from which on a table is folded under its caption."""


class Page:
    """Draws blocks, numbers the figures, and collects what the page's script needs to know of them."""

    def __init__(self) -> None:
        self.charts: dict[str, Any] = {}
        self.networks: dict[str, Any] = {}
        self._figures = 0
        self._draw: dict[type, Callable[[Any], Html]] = {
            Headline: _headline,
            Paragraph: _paragraph,
            List: _list,
            Facts: _facts,
            Table: _table,
            Code: self._code,
            Chart: self._chart,
            Panels: self._panels,
            Forest: lambda block: draw_forest(block, self._number()),
            Network: self._network,
        }

    def draw(self, block: Block) -> Html:
        """The block's HTML."""
        return self._draw[type(block)](block)

    def _number(self) -> int:
        self._figures += 1
        return self._figures

    def _chart(self, chart: Chart) -> Html:
        index = self._number()
        self.charts[str(index)] = chart_data(chart)
        return draw_chart(chart, index)

    def _network(self, network: Network) -> Html:
        index = self._number()
        self.networks[str(index)] = masks_data(network)
        return element("div", draw_network(network, index), _note(network.note))

    def _panels(self, panels: Panels) -> Html:
        grid = element(
            "div", *(self._chart(chart) for chart in panels.charts), class_="panels small" if panels.small else "panels"
        )
        return element("div", grid, _note(panels.note))

    def _code(self, code: Code) -> Html:
        """Tabs made of radio buttons, which need no script."""
        name = f"code-{self._number()}"
        parts = []
        for number, sample in enumerate(code.samples):
            tab = f"{name}-{number}"
            parts.append(void("input", type="radio", name=name, id=tab, checked=number == 0))
            parts.append(element("label", sample.label, for_=tab))
        blocks = [
            element(
                "div",
                element(
                    "button",
                    element("span", both(say("Copy"))),
                    element("span", both(say("Copied"))),
                    type="button",
                    class_="copy",
                    hidden=True,
                ),
                element("pre", element("code", visible(sample.code, lines=True)), tabindex="0"),
                class_="sample",
            )
            for sample in code.samples
        ]
        return element("div", *parts, *blocks, class_="code")


def _note(text: Any) -> Html:
    return element("p", both(text), class_="note") if text else Html("")


def _headline(block: Headline) -> Html:
    return element(
        "div",
        element("p", both(block.question), class_="question"),
        element("p", both(block.answer), class_="answer"),
        element("p", both(block.detail), class_="detail"),
        class_=f"headline {block.tone}",
    )


def _paragraph(block: Paragraph) -> Html:
    return element("p", both(block.text), class_="note" if block.muted else None)


def _list(block: List) -> Html:
    items = [element("li", both(item)) for item in block.items]
    return element("div", element("h3", both(block.title)), element("ul", *items), class_="list")


def _facts(block: Facts) -> Html:
    facts = [
        element(
            "div",
            element("dt", both(fact.label)),
            element("dd", both(fact.value), *([element("small", both(fact.note))] if fact.note else [])),
        )
        for fact in block.facts
    ]
    return element("dl", *facts, class_="tiles" if block.large else "facts")


def _table(block: Table) -> Html:
    kinds = ["number" if column.number else "wide" if column.wide else None for column in block.columns]
    head = [element("th", both(c.label), scope="col", class_=k) for c, k in zip(block.columns, kinds, strict=True)]
    rows = []
    for row in block.rows:
        cells = [
            element("th" if index == 0 else "td", both(cell), class_=kind, scope="row" if index == 0 else None)
            for index, (cell, kind) in enumerate(zip(row.cells, kinds, strict=True))
        ]
        rows.append(element("tr", *cells, class_=f"role-{row.role}"))
    long = bool(block.caption) and len(rows) > LONG
    caption = element("caption", both(block.caption)) if block.caption and not long else Html("")
    table = element("table", caption, element("thead", element("tr", *head)), element("tbody", *rows))
    shown = element("div", table, class_="table", tabindex="0")
    if not long:
        return shown
    summary = element("summary", both(block.caption), " ", element("span", f"({len(rows)})", class_="note"))
    return element("details", summary, shown)
