"""The strategies by name, and which one ``auto`` takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal, get_args

from sukima.base.messages import Message
from sukima.records.result import Rung
from sukima.tuning.search import Search
from sukima.tuning.space import Point, Space
from sukima.tuning.strategies.batches import search_in_batches
from sukima.tuning.strategies.gp import gp
from sukima.tuning.strategies.grid import grid
from sukima.tuning.strategies.halving import halving
from sukima.tuning.strategies.ladder import ladder
from sukima.tuning.strategies.learned import learned, learned_first
from sukima.tuning.strategies.random import propose_random
from sukima.tuning.strategies.tpe import propose_tpe

__all__ = ["STRATEGIES", "StrategyName", "chosen_strategy", "run_strategy"]

StrategyName = Literal["auto", "ladder", "grid", "random", "tpe", "gp", "halving", "learned"]

STRATEGIES: tuple[str, ...] = get_args(StrategyName)
"""The names."""

_SEARCHES: dict[str, Callable[[Search], None]] = {
    "grid": grid,
    "random": lambda search: search_in_batches(search, propose_random),
    "tpe": lambda search: search_in_batches(search, propose_tpe),
    "gp": gp,
    "halving": halving,
}
_SEARCHES |= {f"learned, {name}": partial(learned_first, then=_SEARCHES[name]) for name in ("tpe", "halving")}

_FEW_RATES, _FEW_EPOCHS = 3, 8


def chosen_strategy(name: StrategyName, space: Space, epochs: int, *, limited: bool) -> str:
    """The strategy of that name.

    ``auto`` climbs the ladder where a few rates are all that varies and the user sets no limit; it ends by itself, and
    what it does can be followed step by step. Elsewhere it begins with learned rates and goes on with halving, or with
    TPE where trials have too few epochs to be judged before their end.
    """
    if name != "auto":
        return name
    if not limited and len(space.dimensions) <= _FEW_RATES and all(d.field == "rate" for d in space.dimensions):
        return "ladder"
    then = "halving" if epochs >= _FEW_EPOCHS else "tpe"
    return f"learned, {then}" if any(d.field == "rate" for d in space.dimensions) else then


def run_strategy(name: str, search: Search, rung: Callable[[Rung], None]) -> Message | None:
    """Search; the ladder tells of each rung when it is known. What a reader should know of the search comes back."""
    if name == "learned":
        return learned(search)
    if name != "ladder":
        _SEARCHES[name](search)
        return None

    def evaluate(point: Point) -> Sequence[float]:
        search.evaluate(search.known([point]))
        return search.values(search.space.recipe(point))

    def expect(points: Sequence[Point]) -> None:
        search.evaluate(search.known(points))

    for each in ladder(search.space, evaluate, increases=search.increases, expect=expect):
        rung(each)
    return None
