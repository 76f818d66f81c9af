"""The surface through candidates, on response curves whose optimum is known."""

from collections.abc import Callable

import numpy as np
import pytest

from sukima.tuning.dimension import Dimension
from sukima.tuning.space import Point, Space
from sukima.tuning.study import Entry
from sukima.tuning.surface import best_of_surface

Loss = Callable[[Point], float]


def tried(space: Space, loss: Loss, points: list[Point], noise: float = 0.0, seed: int = 0) -> list[Entry]:
    rng = np.random.default_rng(seed)
    found = [
        Entry(number, point, "complete", loss(point) + rng.normal(0, noise) if noise else loss(point))
        for number, point in enumerate(points)
    ]
    return sorted(found, key=lambda entry: entry.value or 0.0)


def rates(*names: str) -> Space:
    return Space(tuple(Dimension(name=name, field="rate", sites=(name,)) for name in names))


def test_the_optimum_between_points_that_were_tried() -> None:
    space = rates("a")
    found = tried(space, lambda p: (float(p["a"]) - 0.35) ** 2, [{"a": r / 10} for r in range(8)])
    best = best_of_surface(space, found, increases=False)
    assert best is not None
    assert float(best["a"]) == pytest.approx(0.35, abs=0.051)


@pytest.mark.parametrize("increases", [False, True])
def test_noise_is_averaged_out(increases: bool) -> None:
    """Over many noisy searches its choice is nearer to the optimum than the best candidate's."""
    space = rates("a", "b")
    sign = -1.0 if increases else 1.0

    def loss(point: Point) -> float:
        return sign * ((float(point["a"]) - 0.4) ** 2 + (float(point["b"]) - 0.2) ** 2)

    shared: list[Point] = [{"a": r / 10, "b": r / 10} for r in range(8)]
    moved: list[Point] = [{"a": 0.4, "b": 0.3}, {"a": 0.2, "b": 0.3}, {"a": 0.3, "b": 0.2}, {"a": 0.3, "b": 0.4}]
    smooth, lucky = [], []
    for seed in range(20):
        found = tried(space, loss, shared + moved, noise=0.03, seed=seed)
        found = found[::-1] if increases else found
        best = best_of_surface(space, found, increases=increases)
        assert best is not None
        smooth.append(sign * loss(best))
        lucky.append(sign * loss(found[0].point))
    assert np.mean(smooth) < np.mean(lucky)


def test_far_worse_points_do_not_bend_it() -> None:
    space = rates("a")
    points: list[Point] = [{"a": r / 20} for r in range(0, 19, 2)]
    found = tried(space, lambda p: (float(p["a"]) - 0.3) ** 2 if float(p["a"]) < 0.6 else 50.0, points)
    best = best_of_surface(space, found, increases=False)
    assert best is not None
    assert 0.2 <= float(best["a"]) <= 0.4


def test_never_beyond_what_was_tried_and_choices_as_they_are() -> None:
    space = Space((Dimension(name="a", field="rate"), Dimension(name="when", field="schedule", usual="constant")))
    points: list[Point] = [{"a": r / 10, "when": when} for r in range(2, 6) for when in ("constant", "late")]
    found = tried(space, lambda p: -float(p["a"]) + (p["when"] == "late"), points)
    best = best_of_surface(space, found, increases=False)
    assert best == {"a": 0.5, "when": "constant"}


def test_a_space_too_large_to_look_at_everywhere() -> None:
    space = rates(*"abcde")
    rng = np.random.default_rng(1)
    points: list[Point] = [{n: float(rng.choice(space[n].values)) for n in space.names} for _ in range(60)]  # type: ignore[arg-type]  # numbers
    found = tried(space, lambda p: sum((float(v) - 0.4) ** 2 for v in p.values()), points)
    best = best_of_surface(space, found, increases=False)
    assert best is not None
    assert sum((float(v) - 0.4) ** 2 for v in best.values()) < sum(
        (float(v) - 0.4) ** 2 for v in found[0].point.values()
    )


@pytest.mark.parametrize("values", [[1.0] * 4, [1.0] * 6, [float("inf")] * 6])
def test_too_little_to_go_by(values: list[float]) -> None:
    found = [Entry(i, {"a": i / 10}, "complete", value) for i, value in enumerate(values)]
    assert best_of_surface(rates("a"), found, increases=False) is None
