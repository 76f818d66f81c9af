"""The space: derived from sites, narrowed, extended, and turned into recipes."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sukima.base.errors import InputError
from sukima.records.constraint import MaxNorm
from sukima.records.penalty import L1, L2, ElasticNet
from sukima.records.recipe import Recipe
from sukima.records.schedule import Early
from sukima.records.site import Site
from sukima.tuning.dimension import Dimension
from sukima.tuning.space import Space

SITES = [
    Site(name="conv", place="convolution", kind="channel", batch_norm=True),
    Site(name="fc1", place="hidden"),
    Site(name="fc2", place="hidden"),
    Site(name="out", place="output"),
]


def test_rates_of_a_model() -> None:
    each = Space.of(SITES)
    assert each.names == ["rate conv", "rate fc1", "rate fc2"]
    assert each.base.rates == dict.fromkeys(["conv", "fc1", "fc2", "out"], 0.0)
    assert max(each["rate conv"].values) == 0.5
    assert max(each["rate fc1"].values) == 0.9
    assert each.usual() == {"rate conv": 0.25, "rate fc1": 0.4, "rate fc2": 0.4}
    by_kind = Space.of(SITES, rates="kind")
    assert [d.sites for d in by_kind.dimensions] == [("conv",), ("fc1", "fc2")]
    shared = Space.of({site.name: site for site in SITES}, rates="shared")
    assert shared.names == ["rate"]
    assert max(shared["rate"].values) == 0.5
    assert shared.recipe({"rate": 0.3}).rates == {"conv": 0.3, "fc1": 0.3, "fc2": 0.3, "out": 0.0}
    many = [Site(name=str(number)) for number in range(9)]
    assert Space.of(many).names == ["rate hidden"]


def test_everything_that_a_recipe_holds() -> None:
    space = Space.of(SITES, breadth="full")
    assert space.recipe(space.usual()) == space.recipe({n: v for n, v in space.usual().items() if n.startswith("rate")})
    recipe = space.recipe(
        {"rate fc1": 0.2, "max_norm": 3.0, "l2": 1e-4, "schedule": "early", "weight_decay": 0.01, "early_stopping": 5}
    )
    assert recipe.constraints == {"*": MaxNorm(3.0)}
    assert recipe.penalties == {"*": L2(1e-4)}
    assert recipe.schedules == dict.fromkeys(["conv", "fc1", "fc2"], Early())
    assert (recipe.weight_decay, recipe.early_stopping, recipe.label_smoothing) == (0.01, 5, 0.0)
    assert space.recipe({"l1": 1e-3}).penalties == {"*": L1(1e-3)}
    assert space.recipe({"elastic_net": 1e-3}).penalties == {"*": ElasticNet(1e-3, 1e-3)}
    assert "label_smoothing" not in Space.of(SITES, breadth="full", classification=False).names


def test_narrowed_and_extended_in_a_few_lines() -> None:
    space = Space.of(SITES).narrow("rate fc1", 0.3, 0.5).without("rate fc2")
    assert space["rate fc1"].values == (0.3, 0.35, 0.4, 0.45, 0.5)
    assert space["rate fc1"].usual == 0.4
    space = space.plus(Dimension(name="batch_norm", field="option", values=(False, True)))
    assert space.recipe({"batch_norm": True}).options == {"batch_norm": True}
    assert space.size == 11 * 5 * 2
    assert space.narrow("rate fc1", 0.45, 0.9)["rate fc1"].usual is None


def test_a_base_is_kept() -> None:
    space = Space((Dimension(name="decay", field="weight_decay"),), Recipe(rates={"a": 0.3}, penalties={"a": L1(1e-4)}))
    assert space.recipe({"decay": 0.1}) == Recipe(rates={"a": 0.3}, penalties={"a": L1(1e-4)}, weight_decay=0.1)


@given(st.integers(1, 300))
def test_a_grid_is_as_large_as_it_may_be_and_reaches_the_ends(most: int) -> None:
    space = Space.of(SITES)
    points = list(space.grid(most))
    assert 1 <= len(points) <= most
    assert len({tuple(point.items()) for point in points}) == len(points)
    smallest_step = min(len({p[name] for p in points}) for name in space.names)
    if most >= 27:
        assert smallest_step >= 2
        assert {0.0, 0.9} <= {point["rate fc1"] for point in points}
    # One value more in any dimension would be too many.
    counts = {name: len({p[name] for p in points}) for name in space.names}
    grown = [math.prod(counts.values()) // c * (c + 1) for n, c in counts.items() if c < len(space[n].values)]
    assert all(count > most for count in grown)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Dimension(name="x", field="rates"), "field must be one of"),
        (lambda: Dimension(name="x", field="rate", values=(0.1, 1.5)), "x: 1.5 cannot be used"),
        (lambda: Dimension(name="x", field="rate", values=(0.1, 0.1)), "values must be different"),
        (lambda: Dimension(name="x", field="option"), "values must be different and at least one"),
        (lambda: Dimension(name="x", field="schedule", values=("early", "never")), "x: never cannot be used"),
        (lambda: Dimension(name="x", field="rate", usual=0.33), "usual must be one of"),
        (lambda: Dimension(name="x", field="rate", values=("high",)), "x: high cannot be used"),
        (lambda: Space(()), "at least one dimension"),
        (lambda: Space((Dimension(name="x", field="rate"),) * 2), "'x' twice"),
        (lambda: Space.of(SITES)["rate fc9"], "dimension must be one of 'rate conv'"),
        (lambda: Space.of(SITES, breadth="all"), "breadth must be one of"),
        (lambda: Space.of([SITES[3]]), "at least one dimension"),
        (lambda: Space.of(SITES).narrow("rate fc1", 0.91, 0.99), "at least one, got"),
    ],
)
def test_what_is_refused(make, words: str) -> None:
    with pytest.raises(InputError) as refused:
        make()
    assert words in str(refused.value)


def test_the_point_near_a_recipe() -> None:
    space = Space.of(SITES, breadth="full", rates="kind")
    recipe = Recipe(rates={"conv": 0.62, "fc1": 0.2, "fc2": 0.3}, weight_decay=0.02, label_smoothing=0.1)
    point = space.near(recipe)
    assert point["rate convolution"] == 0.5  # the highest there is beside batch norm
    assert point["rate hidden"] == 0.25
    assert (point["weight_decay"], point["label_smoothing"], point["early_stopping"]) in {
        (0.01, 0.1, 0),
        (0.03, 0.1, 0),
    }
    assert point["schedule"] == "constant"
    assert space.near(Recipe()) == space.usual()
