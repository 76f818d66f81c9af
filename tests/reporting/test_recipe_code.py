"""The recipe as code: it runs, and gives the same recipe back."""

import keyword
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sukima
from sukima.base.errors import InputError
from sukima.records.constraint import MaxNorm, NonNegative, UnitNorm
from sukima.records.penalty import L1, L2, Activity, ElasticNet, GroupLasso, Orthogonal
from sukima.records.recipe import Recipe
from sukima.records.schedule import Constant, Cosine, Curriculum, Early, Late, Linear
from sukima.reporting.recipe_code import recipe_code

torch = pytest.importorskip("torch")

RATE = st.floats(0, 1)
STRENGTH = st.floats(0, 10)
NAME = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SCHEDULE = st.one_of(
    st.just(Constant()),
    st.builds(Early, RATE),
    st.builds(Late, RATE),
    st.builds(Linear, first=RATE, last=RATE),
    st.builds(Cosine, first=RATE, last=RATE),
    st.builds(Curriculum, st.floats(0.1, 99)),
)
FORM = st.sampled_from(["loss", "proximal", "decoupled"])
PENALTY = st.one_of(
    st.builds(L1, STRENGTH, form=FORM, schedule=SCHEDULE),
    st.builds(L2, STRENGTH),
    st.builds(ElasticNet, STRENGTH, STRENGTH, form=FORM),
    st.builds(GroupLasso, STRENGTH, st.sampled_from(["output", "input"]), form=FORM, schedule=SCHEDULE),
    st.builds(Orthogonal, STRENGTH, form=st.sampled_from(["loss", "decoupled"])),
    st.builds(Activity, STRENGTH, st.sampled_from([1, 2])),
)
CONSTRAINT = st.one_of(st.builds(MaxNorm, st.floats(0.01, 9)), st.builds(UnitNorm), st.builds(NonNegative))
RECIPE = st.builds(
    Recipe,
    rates=st.dictionaries(NAME, RATE, max_size=9),
    penalties=st.dictionaries(NAME, PENALTY, max_size=3),
    constraints=st.dictionaries(NAME, CONSTRAINT, max_size=3),
    schedules=st.dictionaries(NAME, SCHEDULE, max_size=3),
    weight_decay=st.none() | STRENGTH,
    label_smoothing=st.floats(0, 1, exclude_max=True),
    early_stopping=st.none() | st.integers(1, 99),
    options=st.dictionaries(
        NAME, st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False, allow_infinity=False) | NAME, max_size=3
    ),
)


class Applied:
    """What ``sukima.apply`` was called with, in place of a model that has the recipe's sites."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, Recipe]] = []

    def __call__(self, model: Any, recipe: Recipe) -> SimpleNamespace:
        self.calls.append((model, recipe))
        return SimpleNamespace()


def run(code: str, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, Any], Applied]:
    """The names that the code leaves behind, and what it applied to the model."""
    applied = Applied()
    monkeypatch.setattr(sukima, "apply", applied, raising=False)
    scope: dict[str, Any] = {"model": torch.nn.Linear(3, 2)}
    exec(compile(code, "recipe", "exec"), scope)
    return scope, applied


@settings(deadline=None)  # the first optimizer imports much of torch
@given(recipe=RECIPE)
def test_torch_code_gives_the_recipe_back(recipe: Recipe) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        scope, applied = run(recipe_code(recipe), monkeypatch)
    assert scope["recipe"] == recipe
    touches_model = bool(recipe.rates or recipe.penalties or recipe.constraints or recipe.schedules)
    assert [(model is scope["model"]) for model, _ in applied.calls] == [True] * touches_model


@given(recipe=RECIPE)
def test_keras_code_is_python(recipe: Recipe) -> None:
    compile(recipe_code(recipe, "keras"), "recipe", "exec")


@given(recipe=RECIPE.filter(lambda recipe: not recipe.is_empty))
def test_toml_is_the_file_of_the_recipe(recipe: Recipe) -> None:
    assert Recipe.from_toml(recipe_code(recipe, "toml")) == recipe


def test_empty_recipe_is_an_empty_file() -> None:
    assert Recipe.from_toml(recipe_code(Recipe(), "toml")) == Recipe()


def test_real_model_takes_the_recipe() -> None:
    recipe = Recipe(rates={"1": 0.4}, penalties={"0": L1(0.5)}, schedules={"1": Early(0.5)})
    model = torch.nn.Sequential(torch.nn.Linear(3, 64), torch.nn.ReLU(), torch.nn.Linear(64, 2))
    scope: dict[str, Any] = {"model": model}
    exec(recipe_code(recipe), scope)
    applied = scope["applied"]
    assert dict(applied.rates) == {"1": 0.4}
    assert applied.penalty().item() == pytest.approx(0.5 * model[0].weight.abs().sum().item())


def test_known_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = Recipe(rates={"2": 0.4}, penalties={"0": L1(1e-5)}, weight_decay=0.01, label_smoothing=0.1)
    assert recipe_code(recipe) == (
        "import sukima\n"
        "import torch\n"
        "\n"
        "recipe = sukima.Recipe(\n"
        '    rates={"2": 0.4},\n'
        '    penalties={"0": sukima.L1(1e-05)},\n'
        "    weight_decay=0.01,\n"
        "    label_smoothing=0.1,\n"
        ")\n"
        "applied = sukima.apply(model, recipe)\n"
        "optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.01)\n"
        "criterion = torch.nn.CrossEntropyLoss(label_smoothing=0.1)\n"
        "# in the training loop: loss = criterion(model(x), y) + applied.penalty()\n"
    )
    scope, _ = run(recipe_code(recipe), monkeypatch)
    assert scope["optimizer"].defaults["weight_decay"] == 0.01
    assert scope["criterion"].label_smoothing == 0.1


def test_keras_code_names_what_it_uses() -> None:
    code = recipe_code(Recipe(early_stopping=5, label_smoothing=0.1, weight_decay=0.0), "keras")
    names = {name for name in code.replace(".", " ").replace("(", " ").split() if name.isidentifier()}
    assert {"EarlyStopping", "AdamW", "CategoricalCrossentropy"} <= names - set(keyword.kwlist)
    assert "import keras" in code


def test_another_framework_is_an_error() -> None:
    with pytest.raises(InputError, match="framework must be one of 'keras', 'toml', 'torch', got 'mxnet'"):
        recipe_code(Recipe(), "mxnet")  # type: ignore[arg-type]
