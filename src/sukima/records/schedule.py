"""Schedules: how a site's rate changes while training goes on.

Each is a pure function from the progress of training (0 at the start, 1 at the end) to a factor in [0, 1] that the
site's rate is multiplied with.
"""

from __future__ import annotations

import math

import msgspec

from sukima.base.checks import check_number, check_rate

__all__ = ["Constant", "Cosine", "Curriculum", "Early", "Late", "Linear", "Schedule"]


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
    """From one factor to another along a straight line."""

    first: float = 0.0
    last: float = 1.0

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "first", check_rate("first", self.first))
        msgspec.structs.force_setattr(self, "last", check_rate("last", self.last))

    def factor(self, progress: float) -> float:
        """``first`` at 0, ``last`` at 1."""
        check_number("progress", progress, minimum=0, maximum=1)
        return self.first + (self.last - self.first) * progress


class Cosine(_Schedule, frozen=True):
    """From one factor to another along half a cosine: slow at both ends."""

    first: float = 0.0
    last: float = 1.0

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "first", check_rate("first", self.first))
        msgspec.structs.force_setattr(self, "last", check_rate("last", self.last))

    def factor(self, progress: float) -> float:
        """``first`` at 0, halfway at 0.5, ``last`` at 1."""
        check_number("progress", progress, minimum=0, maximum=1)
        share = (1 - math.cos(math.pi * progress)) / 2
        return self.first * (1 - share) + self.last * share


class Curriculum(_Schedule, frozen=True):
    """From none towards the full rate, fast at first: 1 - exp(-``speed`` × progress) (Morerio et al. 2017)."""

    speed: float = 10.0

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "speed", check_number("speed", self.speed, above=0))

    def factor(self, progress: float) -> float:
        """0 at 0, towards 1."""
        return -math.expm1(-self.speed * check_number("progress", progress, minimum=0, maximum=1))


Schedule = Constant | Early | Late | Linear | Cosine | Curriculum
