"""What a report is made of: plain data that the terminal and the page draw each in its own way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sukima.records.result import Outcome
from sukima.reporting.text import Text

__all__ = [
    "Block", "Chart", "Code", "Column", "Document", "Fact", "Facts", "Forest", "ForestRow", "Headline", "List",
    "Network", "NetworkSite", "Panels", "Paragraph", "Point", "Role", "Row", "Sample", "Section", "Series", "Table",
    "Tone",
]  # fmt: skip

Tone = Literal["good", "bad", "warning", "neutral"]
Role = Literal["baseline", "winner", "guideline", "other"]
"""Who a curve, row or point belongs to; it decides the colour, the same everywhere in a report."""


@dataclass(frozen=True)
class Headline:
    """The answer in a word or two, and the sentence that supports it."""

    tone: Tone
    question: Text
    answer: Text
    detail: Text


@dataclass(frozen=True)
class Paragraph:
    """One paragraph; ``muted`` for what explains rather than tells."""

    text: Text
    muted: bool = False


@dataclass(frozen=True)
class List:
    """Points under a title, such as evidence or advice."""

    title: Text
    items: tuple[Text, ...]


@dataclass(frozen=True)
class Fact:
    """A label with its value; ``note`` explains it."""

    label: Text
    value: Text
    note: Text = ""


@dataclass(frozen=True)
class Facts:
    """Labelled values. ``large``: the few figures that matter, as tiles; otherwise a quiet list."""

    facts: tuple[Fact, ...]
    large: bool = False


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        label: its heading.
        number: whether its cells are numbers.
        detail: whether it is left out where there is little room.
        wide: whether its cells are sentences.
    """

    label: Text
    number: bool = True
    detail: bool = False
    wide: bool = False


@dataclass(frozen=True)
class Row:
    """The cells of one row; ``role`` colours it."""

    cells: tuple[Text, ...]
    role: Role = "other"


@dataclass(frozen=True)
class Table:
    """Rows under columns."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    caption: Text = ""


@dataclass(frozen=True)
class Point:
    """A marked place on a curve: the best checkpoint, the chosen rung."""

    x: float
    y: float
    label: Text


@dataclass(frozen=True)
class Series:
    """One curve: its mean, its single runs, and where there is one its spread.

    Attributes:
        name: what the legend says.
        role: whose it is; decides the colour.
        hue: tells those in the role ``other`` apart.
        x: positions of ``mean``; a run that is longer goes on by the same step.
        mean: the values.
        dashed: for training beside validation.
        runs: the curve of each seed, drawn faintly (each may have its own length).
        spread: low and high end at every position, drawn as whiskers.
        marks: places to mark.
    """

    name: Text
    role: Role
    x: tuple[float, ...]
    mean: tuple[float, ...]
    dashed: bool = False
    runs: tuple[tuple[float, ...], ...] = ()
    spread: tuple[tuple[float, float], ...] = ()
    marks: tuple[Point, ...] = ()
    hue: int = 0


@dataclass(frozen=True)
class Chart:
    """Curves over one pair of axes.

    Attributes:
        title: what it shows.
        x_label: the horizontal axis, with its unit.
        y_label: the vertical axis.
        series: the curves, in the order of the legend.
        x_range: the horizontal range, where several charts share it; by default that of the values.
        y_range: what to show at first; the rest is reached by zooming.
        fill: the indices of two series between which the gap is shaded.
        lines: vertical lines: position and label.
        flat: horizontal range within which values cannot be told apart, if there is one.
        dots: whether single values are drawn as dots (measurements at some positions) or joined (curves).
    """

    title: Text
    x_label: Text
    y_label: Text
    series: tuple[Series, ...]
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None
    fill: tuple[int, int] | None = None
    lines: tuple[tuple[float, Text], ...] = ()
    flat: tuple[float, float] | None = None
    dots: bool = False


@dataclass(frozen=True)
class Panels:
    """Charts side by side, to be read against each other."""

    charts: tuple[Chart, ...]
    note: Text = ""
    small: bool = False


@dataclass(frozen=True)
class ForestRow:
    """One arm's gain over the baseline, with its interval and the gain of each seed."""

    name: Text
    role: Role
    mean: float
    low: float
    high: float
    gains: tuple[float, ...]
    outcome: Outcome
    hue: int = 0


@dataclass(frozen=True)
class Forest:
    """Intervals one above the other, and the line of no difference."""

    title: Text
    label: Text
    rows: tuple[ForestRow, ...]


@dataclass(frozen=True)
class NetworkSite:
    """A site in the drawing of the network.

    Attributes:
        name: its dotted name.
        kind: what a mask drops there.
        after: the weight layer before it.
        rate: the rate in the recipe.
        inserted: whether dropout was put there by applying the recipe.
        units: how many units (or channels) a mask decides over; ``None`` if not known.
        influence: how far the validation score moved while this site's rate was searched; ``None`` if it was not.
        findings: what audit found there.
    """

    name: str
    kind: str
    after: str
    rate: float
    inserted: bool
    units: int | None = None
    influence: float | None = None
    findings: tuple[Text, ...] = ()


@dataclass(frozen=True)
class Network:
    """The network from input to output: the rate at each site, and which units the masks of a seed drop there."""

    model: str
    sites: tuple[NetworkSite, ...]
    note: Text = ""
    seed: int = 0


@dataclass(frozen=True)
class Sample:
    """Code under the name of its tab; ``brief`` samples are also printed in the terminal."""

    label: str
    code: str
    brief: bool = False


@dataclass(frozen=True)
class Code:
    """The same thing in several languages, to copy."""

    samples: tuple[Sample, ...]


Block = Headline | Paragraph | List | Facts | Table | Chart | Panels | Forest | Network | Code


@dataclass(frozen=True)
class Section:
    """Blocks under a heading. ``brief`` sections are also printed in the terminal."""

    name: str
    title: Text
    blocks: tuple[Block, ...]
    brief: bool = True


@dataclass(frozen=True)
class Document:
    """A whole report: what it is about, and its sections, the answer first."""

    title: Text
    subject: Text
    sections: tuple[Section, ...]
