"""Schedules: how a site's rate changes while training goes on.

Each is a pure function from the progress of training (0 at the start, 1 at the end) to a factor in [0, 1] that the
site's rate is multiplied with.
"""

from __future__ import annotations

import msgspec

from sukima.base.checks import check_number, check_rate

__all__ = ["Constant", "Early", "Late", "Linear", "Schedule"]


class _Schedule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag=str.lower):
    def factor(self, progress: float) -> float:
        """The factor at ``progress`` in [0, 1]."""
        raise NotImplementedError


class Constant(_Schedule, frozen=True):
    """The rate as it is, from start to end."""

    def factor(self, progress: float) -> float:
        """Always 1."""
        check_number("progress", progress, minimum=0, maximum=1)
        return 1.0


class Early(_Schedule, frozen=True):
    """Full rate until a fraction of training is over, then none (Liu et al. 2023: it reduces underfitting)."""

    until: float = 0.3

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "until", check_rate("until", self.until))

    def factor(self, progress: float) -> float:
        """1 before ``until``, then 0."""
        return float(check_number("progress", progress, minimum=0, maximum=1) < self.until)


class Late(_Schedule, frozen=True):
    """No dropout until a fraction of training is over, then the full rate (Liu et al. 2023)."""

    start: float = 0.3

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "start", check_rate("start", self.start))

    def factor(self, progress: float) -> float:
        """0 before ``start``, then 1."""
        return float(check_number("progress", progress, minimum=0, maximum=1) >= self.start)


class Linear(_Schedule, frozen=True):
    """From one factor to another along a straight line; ``Linear(0, 1)`` is a curriculum (Morerio et al. 2017)."""

    first: float = 0.0
    last: float = 1.0

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "first", check_rate("first", self.first))
        msgspec.structs.force_setattr(self, "last", check_rate("last", self.last))

    def factor(self, progress: float) -> float:
        """``first`` at 0, ``last`` at 1."""
        check_number("progress", progress, minimum=0, maximum=1)
        return self.first + (self.last - self.first) * progress


Schedule = Constant | Early | Late | Linear
