"""The network from input to output, with the rate at each site."""

from __future__ import annotations

from collections.abc import Iterator

from sukima.base.messages import say
from sukima.report.blocks import Network, NetworkSite
from sukima.report.markup import Html, both, element, svg_text, void
from sukima.report.numbers import rate_text

__all__ = ["draw_network"]

WIDTH, ROW, LAYER = 560, 74, 34
UNITS = 24
"""Units drawn for each site, of which the dropped share is hollow."""


def draw_network(network: Network, index: int) -> Html:
    """One row a site: the layer before it, and a row of units of which the share that is dropped is hollow."""
    height = ROW * len(network.sites) + LAYER + 8
    rows = [part for k, site in enumerate(network.sites) for part in _site(site, 4 + ROW * k)]
    end = 4 + ROW * len(network.sites)
    drawing = element(
        "svg",
        void("line", x1=150, x2=150, y1=8, y2=end, class_="wire"),
        *rows,
        *_box(svg_text(say("output: never dropped")), end, "layer end"),
        viewBox=f"0 0 {WIDTH} {height}",
        role="img",
        aria_labelledby=f"title-{index}",
    )
    caption = element("figcaption", both(say("The network: {model}", model=network.model)), id=f"title-{index}")
    return element("figure", caption, element("div", drawing, class_="drawing"), class_="network")


def _box(text: str, y: float, style: str) -> Iterator[Html]:
    yield void("rect", x=10, y=y, width=280, height=LAYER - 4, rx=6, class_=style)
    yield element("text", text, x=150, y=y + 20, class_="layer")


def _site(site: NetworkSite, y: float) -> Iterator[Html]:
    yield from _box(svg_text(site.after or site.name), y, "layer")
    middle = y + LAYER + 16
    dropped = round(site.rate * UNITS)
    for unit in range(UNITS):
        # The hollow units are spread evenly; which units really fall out changes with every training step.
        hollow = (unit + 1) * dropped // UNITS > unit * dropped // UNITS
        x = 18 + unit * (264 / (UNITS - 1))
        yield void("circle", cx=x, cy=middle, r=4, class_="unit off" if hollow else "unit on")
    yield element("text", svg_text(site.name), x=310, y=middle - 4, class_="site")
    rate = say("rate {rate}", rate=rate_text(site.rate))
    note = say("{rate}, inserted", rate=rate) if site.inserted else rate
    yield element("text", svg_text(note), x=310, y=middle + 13, class_="rate")
