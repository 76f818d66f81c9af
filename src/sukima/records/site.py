"""The site: a place in a model where regularization acts or could act."""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = ["Kind", "Place", "Site"]

Kind = Literal[
    "unit", "channel", "alpha", "attention", "recurrent", "noise", "token", "block", "path", "head", "layer", "weight"
]
"""What a mask drops there: single units, whole channels, attention weights, a recurrent layer's outputs; nothing, but
multiplies by noise; tokens, blocks of a map, paths of a residual network, attention heads, whole layers, weights."""

Place = Literal["input", "hidden", "convolution", "recurrent", "attention", "output"]
"""Where in the network: what the guideline for rates goes by."""


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """One place, by its dotted name in the model.

    Attributes:
        name: ``layers.2``; where dropout acts on what goes *into* a layer, ``layers.3.input``.
        kind: what a mask drops.
        rate: the rate in force; 0 where there is no dropout yet.
        place: where in the network it stands.
        after: the weight layer before it, such as ``Linear(784, 512)``; empty if there is none.
        batch_norm: whether batch normalisation stands between that layer and the site.
        exists: whether the model has dropout there already; if not, applying a rate inserts it.
    """

    name: str
    kind: Kind = "unit"
    rate: float = 0.0
    place: Place = "hidden"
    after: str = ""
    batch_norm: bool = False
    exists: bool = True
