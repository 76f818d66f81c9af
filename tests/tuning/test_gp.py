"""The Gaussian process, on response curves whose optimum is known."""

import random
from collections.abc import Callable

import pytest

from sukima.tuning.space import Dimension, Point, Space
from sukima.tuning.strategies.gp import propose_gp
from sukima.tuning.strategies.random import propose_random
from sukima.tuning.study import Entry

SPACE = Space(tuple(Dimension(name=name, field="rate", sites=(name,)) for name in "ab"))


def bowl(point: Point) -> float:
    return (float(point["a"]) - 0.3) ** 2 + (float(point["b"]) - 0.6) ** 2


def searched(propose: Callable[..., list[Point]], seed: int, *, increases: bool, noise: float = 0.01) -> float:
    """How far from the optimum the best of 12 candidates lies, four at a time."""
    chance, entries = random.Random(seed), list[Entry]()
    sign = -1 if increases else 1
    while len(entries) < 12:
        points = propose(SPACE, entries, 4, seed=seed, increases=increases)
        entries += [
            Entry(len(entries) + number, point, "complete", sign * (bowl(point) + chance.gauss(0, noise)))
            for number, point in enumerate(points)
        ]
    return min(bowl(entry.point) for entry in entries)


@pytest.mark.parametrize("increases", [False, True])
def test_it_comes_nearer_than_chance(increases: bool) -> None:
    found, drawn = (
        [searched(propose, seed, increases=increases) for seed in range(3)] for propose in (propose_gp, propose_random)
    )
    assert sum(found) < sum(drawn)
    assert sorted(found)[1] < 0.02


def test_proposals_are_a_function_of_what_is_known_and_differ() -> None:
    known = [
        Entry(number, point, "complete", bowl(point))
        for number, point in enumerate([{"a": a / 10, "b": b / 10} for a in (0, 4, 8) for b in (1, 7)])
    ]
    once, again = (propose_gp(SPACE, known, 4, seed=3, increases=False) for _ in range(2))
    assert once == again
    assert len({repr(point) for point in once}) == 4
