"""What was seen of a running model, whatever its framework, and the findings that follow."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np

from sukima.auditing.placement import shown_rate
from sukima.auditing.registry import find_rule
from sukima.base.messages import Message, say
from sukima.records.finding import Finding
from sukima.records.recipe import Recipe

__all__ = ["Sightings", "SiteSeen"]

_ENOUGH = 32  # elements: smaller masks are the same by chance
_PASSES = 3
_KEPT = 64  # masks remembered of a site
_SAMPLE = 100_000
_UNSCALED = 10.0
_rates_by_recipe: dict[str, dict[str, float]] = {}


@dataclass
class SiteSeen:
    """What was seen at one dropout layer in training."""

    passes: int = 0
    dropped: bool = False
    elements: int = 0
    masks: list[str] = field(default_factory=list)

    @property
    def never_changes(self) -> bool:
        """Whether masks of one shape were drawn often enough, and were always the same."""
        by_shape: dict[str, list[str]] = {}
        for mask in self.masks:
            by_shape.setdefault(mask.partition(":")[0], []).append(mask)
        return any(len(m) >= _PASSES and len(set(m)) == 1 for m in by_shape.values())


class Sightings:
    """The sites of one model while it runs."""

    def __init__(self, recipe: Recipe | None, *, sampling: bool) -> None:
        self.recipe = recipe
        self.sampling = sampling
        self.findings: list[Finding] = []
        self.sites: dict[str, SiteSeen] = {}

    def inputs(self, value: np.ndarray[Any, Any]) -> None:
        """The input of a training pass."""
        if value.size < _ENOUGH:
            return
        sample = value.reshape(-1)[:_SAMPLE].astype(np.float32)
        center, spread = abs(float(sample.mean())), float(sample.std())
        if center > _UNSCALED or spread > _UNSCALED:
            message = say(
                "the inputs are not scaled: mean {mean}, deviation {spread}",
                mean=f"{center:.3g}",
                spread=f"{spread:.3g}",
            )
            self.add("SK239", message)

    def mask(self, name: str, gone: np.ndarray[Any, Any], rate: float, *, learning: bool) -> str:
        """One pass of a site: which elements it dropped; the mask's short name, empty where there is none."""
        dropped = bool(gone.any())
        if not learning:
            if dropped and not self.sampling:
                message = say("{site} drops although gradients are off: eval() was not called", site=name)
                self.add("SK110", message, name)
            return ""
        site = self.sites.setdefault(name, SiteSeen())
        site.passes += 1
        site.dropped |= dropped
        site.elements += gone.size
        if gone.size < _ENOUGH or not dropped or rate >= 1:
            return ""
        bits = np.packbits(gone.reshape(-1)[:1_000_000]).tobytes()
        digest = f"{gone.shape}:{hashlib.blake2b(bits, digest_size=12).hexdigest()}"
        if len(site.masks) < _KEPT:
            site.masks.append(digest)
        return digest

    def on_every_rank(self, name: str, masks: list[str]) -> None:
        """The masks that the workers of a data-parallel run drew at one site in one pass."""
        if len(masks) > 1 and masks[0] and len(set(masks)) == 1:
            self.add("SK143", say("{site} drops the same elements on every rank", site=name), name)

    def is_due(self, name: str) -> bool:
        """Whether to compare a site with other ranks: once, when it has settled."""
        return self.sites[name].passes == _PASSES

    def judge(self, rates: Mapping[str, float]) -> None:
        """At the end: sites that never dropped, whose mask never changed, or that share one."""
        for name, site in self.sites.items():
            rate = rates.get(name, 0.0)
            # The chance that a working site drops nothing must be beyond doubt.
            doubtful = (1 - rate) ** min(site.elements, 10_000) > 1e-6
            if rate and site.passes >= _PASSES and not site.dropped and not doubtful:
                message = say(
                    "{site} has rate {rate} and never dropped anything in training", site=name, rate=shown_rate(rate)
                )
                self.add("SK142", message, name)
            if site.never_changes:
                self.add("SK141", say("the mask of {site} never changes", site=name), name)
        for (first, one), (second, other) in combinations(self.sites.items(), 2):
            same = sum(a == b for a, b in zip(one.masks, other.masks, strict=False))
            if same >= _PASSES:
                message = say("{first} and {second} drop the same elements", first=first, second=second)
                self.add("SK143", message, second)

    def check_rates(self, rates: Mapping[str, float]) -> None:
        """Rates in force against the recipe, and against an earlier run of the same recipe."""
        if self.recipe is None:
            return
        wanted = {n: float(r) for n, r in self.recipe.rates.items() if n in rates}
        earlier = _rates_by_recipe.setdefault(repr(self.recipe), dict(rates))
        for name, rate in {**earlier, **wanted}.items():
            if name in rates and abs(rates[name] - rate) > 1e-6:
                message = say(
                    "{site} runs with rate {rate}, the recipe with {wanted}",
                    site=name,
                    rate=shown_rate(rates[name]),
                    wanted=shown_rate(rate),
                )
                self.add("SK214", message, name)

    def add(self, code: str, message: Message, site: str | None = None) -> None:
        """Note a finding once a site."""
        if not any(f.code == code and f.site == site for f in self.findings):
            self.findings.append(find_rule(code).seen(message, site))
