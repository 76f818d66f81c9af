"""The members of a stack: what each of them has for itself."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from sukima.engines.seeds import derive_seed
from sukima.engines.torch.run import Run
from sukima.masks.key import MaskKey
from sukima.torch.keys import draw_key

__all__ = ["Member", "Members"]


class Member:
    """One run in a stack, with the generator that its masks would come from if it were trained alone."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.generator = torch.Generator().manual_seed(derive_seed(run.seed, "masks"))


class Members:
    """Those that are still being trained."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self.active = [Member(run) for run in runs]

    @property
    def runs(self) -> list[Run]:
        """Their runs."""
        return [member.run for member in self.active]

    def progress(self, progress: float) -> None:
        """Tell every member's schedules how much of training is over."""
        for run in self.runs:
            run.applied.progress(progress)

    def select(self, kept: Sequence[int]) -> None:
        """Go on with these only."""
        self.active = [self.active[index] for index in kept]

    def rates(self, site: str) -> list[float]:
        """The rate in force at ``site``, a member."""
        return [run.applied.rate_now(site) for run in self.runs]

    def draw(self, rates: Sequence[float]) -> list[MaskKey]:
        """A key for each member; one whose rate is 0 draws nothing, as it would alone."""
        pairs = zip(self.active, rates, strict=True)
        return [draw_key(generator=member.generator) if rate else MaskKey(0) for member, rate in pairs]
