"""The recipe's file formats, and what it refuses."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

import sukima
from sukima.base.errors import InputError

share = some.floats(0, 1)
strength = some.floats(0, 1e6)
names = some.text(max_size=8)
penalties = some.one_of(
    some.builds(sukima.L1, strength),
    some.builds(sukima.L2, strength),
    some.builds(sukima.ElasticNet, strength, strength),
)
schedules = some.one_of(
    some.builds(sukima.Constant),
    some.builds(sukima.Early, share),
    some.builds(sukima.Late, share),
    some.builds(sukima.Linear, share, share),
)
values = some.one_of(
    some.booleans(), some.integers(-(2**63), 2**63 - 1), some.floats(allow_nan=False, allow_infinity=False), names
)
recipes = some.builds(
    sukima.Recipe,
    rates=some.dictionaries(names, share, max_size=3),
    penalties=some.dictionaries(names, penalties, max_size=3),
    schedules=some.dictionaries(names, schedules, max_size=3),
    weight_decay=some.none() | strength,
    label_smoothing=some.floats(0, 0.99),
    early_stopping=some.none() | some.integers(1, 1000),
    options=some.dictionaries(names, values, max_size=3),
)


@given(recipes)
def test_both_formats_give_the_same_recipe_back(recipe: sukima.Recipe) -> None:
    assert sukima.Recipe.from_toml(recipe.to_toml()) == recipe
    copied = pickle.loads(pickle.dumps(recipe))
    assert copied == recipe
    assert copied.to_json() == recipe.to_json()
    assert sukima.Recipe.from_json(recipe.to_json()) == recipe


@pytest.mark.parametrize("name", ["r.toml", "r.json", "r.JSON"])
def test_files(tmp_path: Path, name: str) -> None:
    recipe = sukima.Recipe(rates={"層.2": np.float64(0.4), "3": 1}, penalties={"*": sukima.L1(1e-5)})
    recipe.save(tmp_path / name)
    assert sukima.Recipe.load(tmp_path / name) == recipe
    assert (tmp_path / name).read_text(encoding="utf-8").startswith("{") == name.lower().endswith("json")
    with pytest.raises(InputError, match="does not exist"):
        recipe.save(tmp_path / "none" / name)


@pytest.mark.parametrize("number", [np.float32(0.5), np.float64(0.5), np.int64(1)])
def test_numbers_of_numpy_are_plain_numbers(number: Any) -> None:
    recipe = sukima.Recipe(rates={"1": number}, weight_decay=number, penalties={"0": sukima.L2(number)})
    assert sukima.Recipe.from_toml(recipe.to_toml()) == recipe
    assert sukima.Recipe.from_json(recipe.to_json()) == recipe


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"rates": {"a": 1.5}}, ["rates['a']", "[0, 1]", "1.5"]),
        ({"rates": {"a": float("nan")}}, ["rates['a']", "nan"]),
        ({"rates": {"a": True}}, ["rates['a']", "True"]),
        ({"rates": {"a": "0.5"}}, ["rates['a']", "'0.5'"]),
        ({"rates": {1: 0.5}}, ["rates", "names"]),
        ({"rates": [0.5]}, ["rates", "table"]),
        ({"penalties": {"a": 0.1}}, ["penalties['a']", "L1", "0.1"]),
        ({"schedules": {"a": "early"}}, ["schedules['a']", "Early", "early"]),
        ({"weight_decay": -1}, ["weight_decay", "-1"]),
        ({"weight_decay": float("inf")}, ["weight_decay", "inf"]),
        ({"label_smoothing": 1}, ["label_smoothing", "[0, 1)", "1"]),
        ({"early_stopping": 0}, ["early_stopping", "at least 1", "0"]),
        ({"early_stopping": 2.5}, ["early_stopping", "2.5"]),
        ({"options": {"x": float("nan")}}, ["options['x']", "nan"]),
        ({"options": {"x": [1]}}, ["options['x']", "[1]"]),
        ({"options": {"x": 2**70}}, ["options['x']"]),
    ],
)
def test_a_bad_entry_is_named(arguments: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(InputError) as error:
        sukima.Recipe(**arguments)
    assert all(word in str(error.value) for word in words), str(error.value)
    assert "\n" not in str(error.value)


@given(share, share)
def test_schedules_are_plain_formulas(progress: float, at: float) -> None:
    assert sukima.Constant().factor(progress) == 1
    assert sukima.Early(at).factor(progress) == (1 if progress < at else 0)
    assert sukima.Late(at).factor(progress) == (0 if progress < at else 1)
    assert sukima.Linear(at, 0.5).factor(progress) == pytest.approx((1 - progress) * at + progress * 0.5)


@pytest.mark.parametrize("schedule", [sukima.Constant(), sukima.Early(), sukima.Late(), sukima.Linear()])
@pytest.mark.parametrize("progress", [-0.1, 1.1, float("nan")])
def test_progress_is_a_share(schedule: Any, progress: float) -> None:
    with pytest.raises(InputError, match="progress"):
        schedule.factor(progress)


def test_empty_means_that_nothing_regularizes() -> None:
    assert sukima.Recipe(rates={"a": 0.0}, schedules={"a": sukima.Early()}).is_empty
    assert not sukima.Recipe(rates={"a": 0.1}).is_empty
    assert not sukima.Recipe(weight_decay=0.0).is_empty
