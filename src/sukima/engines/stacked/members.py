"""The members of a stack: what each of them has for itself."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from sukima.engines.seeds import derive_seed
from sukima.masks.key import MaskKey
from sukima.records.recipe import Recipe
from sukima.torch.apply import Applied
from sukima.torch.keys import draw_key

__all__ = ["Member", "Members"]


class Member:
    """One candidate in a stack, with the generator that its masks would come from if it were trained alone."""

    def __init__(self, recipe: Recipe, seed: int, model: nn.Module, applied: Applied) -> None:
        self.recipe, self.seed, self.model, self.applied = recipe, seed, model, applied
        self.generator = torch.Generator().manual_seed(derive_seed(seed, "masks"))


class Members:
    """Those that are still being trained."""

    def __init__(self, members: Sequence[Member]) -> None:
        self.active = list(members)

    def progress(self, progress: float) -> None:
        """Tell every member's schedules."""
        for member in self.active:
            member.applied.progress(progress)

    def rates(self, site: str) -> list[float]:
        """The rate in force at ``site``, a member."""
        return [member.applied.rate_now(site) for member in self.active]

    def draw(self, rates: Sequence[float]) -> list[MaskKey]:
        """A key for each member; one whose rate is 0 draws nothing, as it would alone."""
        return [
            draw_key(generator=member.generator) if rate else MaskKey(0)
            for member, rate in zip(self.active, rates, strict=True)
        ]
