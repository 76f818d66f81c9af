"""The Gaussian process, on response curves whose optimum is known."""

import random
from collections.abc import Callable
from itertools import pairwise

import pytest

from sukima.tuning.dimension import Dimension
from sukima.tuning.space import Point, Space
from sukima.tuning.strategies.gp import propose_gp
from sukima.tuning.strategies.parts import parts
from sukima.tuning.strategies.random import propose_random
from sukima.tuning.study import Entry

SPACE = Space(tuple(Dimension(name=name, field="rate", sites=(name,)) for name in "ab"))


def bowl(point: Point) -> float:
    return (float(point["a"]) - 0.3) ** 2 + (float(point["b"]) - 0.6) ** 2


def searched(propose: Callable[..., list[Point]], seed: int, *, increases: bool) -> float:
    """How far from the optimum the best of 14 candidates lies, four at a time after two that are given."""
    chance, entries = random.Random(seed), list[Entry]()
    points: list[Point] = [{"a": 0.0, "b": 0.0}, {"a": 0.4, "b": 0.4}]
    sign = -1 if increases else 1
    while len(entries) < 14:
        entries += [
            Entry(len(entries) + number, point, "complete", sign * (bowl(point) + chance.gauss(0, 0.01)))
            for number, point in enumerate(points)
        ]
        points = propose(SPACE, entries, 4, seed=seed, increases=increases)
    return min(bowl(entry.point) for entry in entries)


@pytest.mark.parametrize("increases", [False, True])
def test_it_comes_nearer_than_chance(increases: bool) -> None:
    found, drawn = (
        [searched(propose, seed, increases=increases) for seed in (1, 2)] for propose in (propose_gp, propose_random)
    )
    assert sum(found) < sum(drawn)
    assert max(found) < 0.006  # one step of each rate away from the optimum


def test_proposals_are_a_function_of_what_is_known_and_differ() -> None:
    known = [
        Entry(number, point, "complete", bowl(point))
        for number, point in enumerate([{"a": a / 10, "b": b / 10} for a in (0, 4, 8) for b in (1, 7)])
    ]
    once, again = (propose_gp(SPACE, known, 4, seed=3, increases=False) for _ in range(2))
    assert once == again
    assert len({repr(point) for point in once}) == 4


def test_it_begins_with_parts_of_the_network() -> None:
    space = Space(tuple(Dimension(name=name, field="rate", usual=0.4, sites=(name,)) for name in "abc"))
    references = [space.nothing(), space.usual()]
    known = [Entry(number, point, "complete", 1.0 - number) for number, point in enumerate(references)]
    first = propose_gp(space, known, 4, seed=0, increases=False)
    assert [[rate > 0 for rate in point.values()] for point in first] == [
        [False, True, True], [False, False, True], [True, False, False], [True, True, False],
    ]  # fmt: skip
    assert propose_gp(space, known, 2, seed=0, increases=False) == first[:2]
    known += [Entry(2 + number, point, "complete", 0.5) for number, point in enumerate(first[:2])]
    assert propose_gp(space, known, 3, seed=0, increases=False)[:2] == first[2:]


@pytest.mark.parametrize(("sites", "points"), [(1, 0), (2, 2), (3, 4), (4, 4), (9, 4)])
def test_parts_are_halves_that_differ(sites: int, points: int) -> None:
    rates = [Dimension(name=f"{n}", field="rate", usual=0.3, sites=(f"{n}",)) for n in range(sites)]
    decay = Dimension(name="decay", field="weight_decay", usual=0.01)
    without = Dimension(name="normed", field="rate", usual=0.0, sites=("normed",))
    found = parts(Space((*rates, decay, without)))
    assert len({repr(point) for point in found}) == len(found) == points
    for point in found:
        on = [bool(point[d.name]) for d in rates]
        assert any(on)
        assert not all(on)
        assert sum(a != b for a, b in pairwise(on)) == 1
        assert (point["decay"], point["normed"]) == (0.01, 0.0)


def test_the_first_of_them_has_twice_the_usual_rates_as_far_as_they_go() -> None:
    rates = {"a": 0.1, "b": 0.4, "c": 0.5}
    space = Space(tuple(Dimension(name=n, field="rate", usual=rate, sites=(n,)) for n, rate in rates.items()))
    first, *others = parts(space.narrow("b", 0.0, 0.6))
    assert first == {"a": 0.0, "b": 0.6, "c": 0.9}
    assert all(point[name] in (0.0, rates[name]) for point in others for name in rates)
