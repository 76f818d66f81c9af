"""The network from input to output: its sites, and which units the masks of a seed drop in a training step.

The drawing shows the first step; the page's script computes any other by the same law.
"""

from __future__ import annotations

import hashlib
from typing import Any

from sukima.base.messages import Message, say
from sukima.masks.key import MaskKey
from sukima.masks.law import bits, keep, threshold
from sukima.reporting.blocks import Network, NetworkSite
from sukima.reporting.markup import Html, both, element, join, void
from sukima.reporting.numbers import count, number, rate_text

__all__ = ["draw_network", "masks_data"]

COLUMNS, PITCH = 64, 10
MOST_UNITS, MOST_SITES = 512, 24
"""What is drawn of large layers and of networks with many sites."""

UNKNOWN = 64
"""Units drawn where the number is not known."""


def draw_network(network: Network, index: int) -> Html:
    """The figure: controls, then layers and sites from input to output."""
    influences = [site.influence for site in network.sites if site.influence is not None]
    most = max(influences, default=0.0)
    sites = [_site(site, k, network.seed, most) for k, site in enumerate(network.sites[:MOST_SITES])]
    ends = (_layer(both(say("input"))), _layer(both(say("output")), "end"))
    rest = len(network.sites) - MOST_SITES
    more = [element("li", both(say("and {count} more sites", count=rest)), class_="note")] if rest > 0 else []
    return element(
        "figure",
        element("figcaption", both(network.model), id=f"title-{index}"),
        _controls(network),
        element("ol", ends[0], *sites, *more, ends[1], class_="layers"),
        class_="network",
        data_network=str(index),
    )


def _controls(network: Network) -> Html:
    """Hidden until the script is there to serve them."""
    play = element(
        "button",
        element("span", both(say("Play"))),
        element("span", both(say("Stop"))),
        type="button",
        class_="play",
        aria_pressed="false",
    )
    return element(
        "form",
        _control(say("seed"), "seed", type="number", min="0", max="9007199254740991", value=network.seed),
        _control(say("example in the batch"), "row", type="number", min="0", max="65535", value="0"),
        _control(say("training step"), "step", type="range", min="0", max="199", value="0"),
        element("output", "0", name="at"),
        play,
        class_="controls",
        hidden=True,
    )


def _control(label: Message, name: str, **attributes: str | int) -> Html:
    return element("label", both(label), void("input", name=name, **attributes))


def _layer(text: str, style: str = "") -> Html:
    return element("li", text, class_=f"layer {style}".strip())


def _site(site: NetworkSite, index: int, seed: int, most: float) -> Html:
    units = _drawn(site)
    kept = keep(_key(site, seed, 0), site.rate, units)
    rows = -(-units // COLUMNS)
    dots = element(
        "svg",
        void("path", class_="on", d=dots_path([i for i in range(units) if kept[i]])),
        void("path", class_="off", d=dots_path([i for i in range(units) if not kept[i]])),
        viewBox=f"0 0 {min(units, COLUMNS) * PITCH} {rows * PITCH}",
        style=f"max-width:{min(units, COLUMNS) * PITCH}px",
        aria_hidden="true",
    )
    share = element("span", element("b", str(int(kept.sum()))), f" / {units}", class_="share")
    found = [element("p", both(text), class_="found") for text in site.findings]
    label = element("p", element("strong", both(site.name)), " ", both(_about(site)), class_="label")
    acts = element("li", label, dots, share, *_influence(site, most), *found, class_="site", data_site=str(index))
    return join([_layer(both(site.after)), acts]) if site.after else acts


def _drawn(site: NetworkSite) -> int:
    return min(site.units or UNKNOWN, MOST_UNITS)


def _about(site: NetworkSite) -> Message:
    rate = say("rate {rate}", rate=rate_text(site.rate))
    if site.inserted:
        rate = say("{rate}, inserted", rate=rate)
    if site.units is not None and site.units > MOST_UNITS:
        return say("{rate}; the first {shown} of {all} units", rate=rate, shown=MOST_UNITS, all=count(site.units))
    return rate


def _influence(site: NetworkSite, most: float) -> list[Html]:
    if site.influence is None or most <= 0:
        return []
    bar = element("i", style=f"width:{100 * site.influence / most:.1f}%")
    text = both(say("influence {value}", value=number(site.influence)))
    return [element("span", element("span", bar, class_="meter"), text, class_="influence")]


def dots_path(units: list[int]) -> str:
    """A path of points, one a unit, which a round line cap makes visible."""
    return "".join(f"M{i % COLUMNS * PITCH + PITCH // 2} {i // COLUMNS * PITCH + PITCH // 2}h0" for i in units)


def _encodable(name: str) -> str:
    """The name as a key can be made from it (a lone surrogate has no bytes)."""
    return name.encode("utf-8", "replace").decode()


def _key(site: NetworkSite, seed: int, step: int) -> MaskKey:
    """The key that ``sukima.torch.keyed(seed=seed, step=step)`` gives a site at its first call, on one machine."""
    replica = number = repeat = microbatch = 0
    key = MaskKey(seed).fold_in(replica).fold_in(_encodable(site.name)).fold_in(number).fold_in(repeat)
    key = key.fold_in(step).fold_in(microbatch)
    return key if site.kind == "unit" else key.fold_in(site.kind)


def masks_data(network: Network) -> list[dict[str, Any]]:
    """What the page's script needs to compute masks: names as the numbers that are folded in, thresholds."""
    return [
        {
            "name": _folded(_encodable(site.name)),
            "kind": None if site.kind == "unit" else _folded(site.kind),
            "threshold": threshold(site.rate),
            "bits": bits(site.rate),
            "units": site.units or UNKNOWN,
            "drawn": _drawn(site),
        }
        for site in network.sites[:MOST_SITES]
    ]


def _folded(text: str) -> str:
    """The 64 bits by which a string is folded into a key, in hexadecimal."""
    return hashlib.blake2b(text.encode(), digest_size=8).digest()[::-1].hex()
