"""Penalties and constraints: known values, exact zeros, the right axis, through a recipe and by hand."""

import math

import numpy as np
import pytest
import torch
from torch import nn

import sukima
import sukima.torch as st
from sukima import (
    L1,
    L2,
    Activity,
    Cosine,
    Curriculum,
    ElasticNet,
    GroupLasso,
    MaxNorm,
    NonNegative,
    Orthogonal,
    UnitNorm,
)
from sukima.base.errors import InputError
from sukima.records.recipe import Recipe

W = torch.tensor([[3.0, -4.0, 0.0], [0.0, 0.0, 0.0]])

RECIPE = Recipe(
    penalties={
        "0": L1(0.5, form="proximal"),
        "1.weight": GroupLasso(0.1, "input", schedule=Cosine(0.0, 1.0)),
        "enc.*": Orthogonal(0.1, form="decoupled"),
        "2": Activity(0.01, 2),
        "*": ElasticNet(0.1, 0.2),
    },
    constraints={"0": MaxNorm(2.0), "1": UnitNorm(), "*": NonNegative()},
    schedules={"a": Curriculum(5.0), "b": Cosine(1.0, 0.5)},
)


@pytest.mark.parametrize("form", ["toml", "json"])
def test_files_give_the_recipe_back(form: str) -> None:
    text = getattr(RECIPE, f"to_{form}")()
    assert getattr(Recipe, f"from_{form}")(text) == RECIPE
    assert "form" not in Recipe(penalties={"a": L1(0.1)}).to_toml()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"penalties": {"a": {"kind": "l1", "strength": 1, "form": "primal"}}}, "form|Invalid"),
        ({"penalties": {"a": {"kind": "activity", "strength": 1, "form": "proximal"}}}, "form must be one of 'loss'"),
        ({"constraints": {"a": {"kind": "max_norm", "limit": 0}}}, "limit must be a finite number > 0"),
        ({"constraints": {"a": {"kind": "box"}}}, "box"),
    ],
)
def test_wrong_files_name_the_entry(table: dict[str, object], message: str) -> None:
    import msgspec

    with pytest.raises(InputError, match=message):
        Recipe.from_json(msgspec.json.encode(table).decode())


@pytest.mark.parametrize(
    ("which", "value"),
    [
        (L1(2.0), 14.0),
        (L2(2.0), 50.0),
        (ElasticNet(1.0, 2.0), 57.0),
        (GroupLasso(1.0), math.sqrt(3) * 5),
        (GroupLasso(1.0, "input"), math.sqrt(2) * 7),
        (Orthogonal(1.0), (25.0 - 1) ** 2 + 1),
    ],
)
def test_known_values_and_gradients_at_zero(which: sukima.L1, value: float) -> None:
    weight = W.clone().requires_grad_()
    term = st.penalty([weight], which)
    assert float(term) == pytest.approx(value)
    term.backward()
    assert weight.grad.isfinite().all()


@pytest.mark.parametrize("which", [L1(0.3), L2(0.3), ElasticNet(0.2, 0.3), GroupLasso(0.4), GroupLasso(0.4, "input")])
def test_proximal_step_minimises_what_defines_it(which: sukima.L1) -> None:
    """prox(v) = argmin penalty(w) + |w - v|² / (2 step); no neighbour of the result is better."""
    torch.manual_seed(0)
    start = torch.randn(4, 3, dtype=torch.float64)
    result = start.clone()
    st.proximal_step([result], which, 0.7)

    def objective(w: torch.Tensor) -> float:
        return float(st.penalty([w], which) + (w - start).square().sum() / 1.4)

    best = objective(result)
    for scale in (1e-1, 1e-3):
        assert all(objective(result + scale * torch.randn_like(result)) >= best - 1e-12 for _ in range(50))


def test_l1_gives_exact_zeros_as_lasso_does() -> None:
    """Proximal gradient descent on a linear model ends at scikit-learn's lasso."""
    linear_model = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 10))
    y = x[:, :3] @ [2.0, -1.0, 0.5] + 0.1 * rng.normal(size=80)
    lasso = linear_model.Lasso(alpha=0.1, fit_intercept=False, tol=1e-10).fit(x, y)
    layer = nn.Linear(10, 1, bias=False).double()
    optimizer = torch.optim.SGD(layer.parameters(), 0.1)
    applied = sukima.apply(layer, Recipe(penalties={"weight": L1(0.2, form="proximal")}))
    applied.attach(optimizer)
    inputs, targets = torch.tensor(x), torch.tensor(y)[:, None]
    for _ in range(600):
        optimizer.zero_grad()
        (nn.functional.mse_loss(layer(inputs), targets) + applied.penalty()).backward()
        optimizer.step()
    found = layer.weight.detach().numpy()[0]
    np.testing.assert_allclose(found, lasso.coef_, atol=1e-6)
    assert ((found == 0) == (lasso.coef_ == 0)).all()
    assert (found == 0).sum() >= 5


def test_decoupled_l2_is_adamw() -> None:
    ours, theirs = nn.Linear(4, 3), nn.Linear(4, 3)
    theirs.load_state_dict(ours.state_dict())
    a = torch.optim.Adam(ours.parameters(), 0.01)
    b = torch.optim.AdamW(
        [{"params": [theirs.weight]}, {"params": [theirs.bias], "weight_decay": 0}], 0.01, weight_decay=0.2
    )
    applied = sukima.apply(nn.Sequential(ours), Recipe(penalties={"0": L2(0.1, form="decoupled")}))
    x = torch.randn(8, 4)
    for _ in range(3):
        for layer, optimizer in ((ours, a), (theirs, b)):
            optimizer.zero_grad()
            layer(x).square().mean().backward()
            optimizer.step()
        applied.step(a)
    # AdamW decays before its step and we after it: equal to first order in the learning rate.
    torch.testing.assert_close(ours.weight, theirs.weight, atol=1e-4, rtol=0)


LAYERS = [
    (nn.Linear(5, 4), lambda w: w.norm(dim=1)),
    (nn.Conv2d(6, 4, 3, groups=2), lambda w: w.flatten(1).norm(dim=1)),
    (nn.ConvTranspose2d(6, 4, 3), lambda w: w.transpose(0, 1).flatten(1).norm(dim=1)),
    (
        nn.ConvTranspose1d(6, 4, 3, groups=2),
        lambda w: torch.cat([part.transpose(0, 1).flatten(1).norm(dim=1) for part in w.chunk(2)]),
    ),
]


@pytest.mark.parametrize(("layer", "norms"), LAYERS, ids=[type(layer).__name__ for layer, _ in LAYERS])
def test_norms_are_those_of_output_units(layer: nn.Module, norms: object) -> None:
    st.constrain(layer, UnitNorm())
    torch.testing.assert_close(norms(layer.weight), torch.ones(4))
    with torch.no_grad():
        layer.weight.mul_(torch.rand_like(layer.weight) * 3)
    before = norms(layer.weight).clone()
    st.constrain(layer, MaxNorm(1.1))
    torch.testing.assert_close(norms(layer.weight), before.clamp(max=1.1))
    st.constrain(layer, NonNegative())
    assert (layer.weight >= 0).all()


def test_a_units_output_can_be_cut_in_every_layer() -> None:
    """Group lasso strong enough removes every output; one input group gone removes what that input does."""
    for layer, _ in LAYERS:
        st.proximal_step([layer.weight], GroupLasso(1e3, "input"), 1.0, layer)
        assert (layer.weight == 0).all()


def test_through_a_recipe() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    recipe = Recipe(
        penalties={"0": L2(0.1, schedule=Cosine(0.0, 1.0)), "1": Activity(0.2)}, constraints={"*": MaxNorm(0.5)}
    )
    applied = sukima.apply(net, recipe)
    x = torch.randn(6, 4)
    net(x)
    hidden = nn.functional.relu(net[0](x))
    torch.testing.assert_close(applied.penalty(), 0.2 * hidden.abs().sum() / 6)
    assert float(applied.penalty()) == 0
    applied.progress(1.0)
    torch.testing.assert_close(applied.penalty(), 0.1 * net[0].weight.square().sum())
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    applied.attach(optimizer)
    net(x).sum().backward()
    optimizer.step()
    assert net[0].weight.norm(dim=1).max() <= 0.5 + 1e-6
    applied.remove()
    with torch.no_grad():
        net[0].weight.fill_(9.0)
    optimizer.step()
    net(x)
    assert net[0].weight.norm(dim=1).min() > 5
    assert float(applied.penalty()) == 0


def test_patterns_parameters_and_unknown_names() -> None:
    net = nn.Sequential(nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)), nn.Linear(2, 2))
    applied = sukima.apply(net, Recipe(penalties={"0.*.weight": L1(1.0), "1.bias": L2(1.0)}))
    expected = sum(layer.weight.abs().sum() for layer in net[0]) + net[1].bias.square().sum()
    torch.testing.assert_close(applied.penalty(), expected)
    for table in (
        {"penalties": {"9": L1(1.0)}},
        {"penalties": {"9": Activity(1.0)}},
        {"constraints": {"x*": UnitNorm()}},
    ):
        with pytest.raises(InputError, match="expected one of the model's sites"):
            sukima.apply(net, Recipe(**table))


def test_schedules() -> None:
    assert [round(Cosine(1.0, 0.0).factor(t), 6) for t in (0, 0.5, 1)] == [1.0, 0.5, 0.0]
    assert Curriculum(10).factor(0) == 0
    assert Curriculum(10).factor(0.1) == pytest.approx(1 - math.exp(-1))
    for schedule in (Cosine(), Curriculum()):
        with pytest.raises(InputError, match="progress must be in"):
            schedule.factor(1.1)


def test_the_engine_puts_all_of_it_in_force() -> None:
    from sukima.records.task import Task

    x = torch.randn(64, 4, generator=torch.Generator().manual_seed(0)).numpy()
    y = (x[:, 0] > 0).astype("int64")
    task = Task(
        model=lambda: nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)), train=(x, y), validation=(x, y),
        loss="cross_entropy", metric="accuracy", optimizer="adam", learning_rate=1e-2, batch_size=16, epochs=2,
    )  # fmt: skip
    recipe = Recipe(penalties={"2": L1(50.0, form="proximal")}, constraints={"0": MaxNorm(0.1)})
    fitted = sukima.fit(task, recipe, seed=0)
    assert (fitted.model[2].weight == 0).all()
    assert fitted.model[0].weight.norm(dim=1).max() <= 0.1 + 1e-6
