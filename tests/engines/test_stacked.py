"""A stack gives every member the history that it has alone, to the bit."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sukima.engines.candidate import may_stack
from sukima.engines.progress import Silent
from sukima.engines.stacked import chain
from sukima.engines.stacked import fit as fit_module
from sukima.engines.stacked.fit import fit_stack
from sukima.engines.stacked.unstackable import UnstackableError
from sukima.engines.torch.fit import fit
from sukima.records.constraint import MaxNorm, NonNegative
from sukima.records.penalty import L1, L2, ElasticNet, GroupLasso, Orthogonal
from sukima.records.recipe import Recipe
from sukima.records.result import Trial
from sukima.records.schedule import Early, Late
from sukima.records.task import Task


def linear() -> nn.Module:
    return nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 16), nn.GELU(), nn.Linear(16, 3))


def with_dropout() -> nn.Module:
    return nn.Sequential(
        nn.Dropout(0.1), nn.Sequential(nn.Linear(10, 33), nn.Tanh(), nn.Dropout(0.3)), nn.Linear(33, 3, bias=False)
    )


def rectified() -> nn.Module:
    """Layers whose steps are compiled."""
    return nn.Sequential(
        nn.Linear(10, 33), nn.ReLU(), nn.Linear(33, 40), nn.ReLU(), nn.Linear(40, 3, bias=False),
    )  # fmt: skip


def rectified_with_dropout() -> nn.Module:
    """Such layers in all their orders."""
    return nn.Sequential(
        nn.Unflatten(1, (2, 5)), nn.Flatten(), nn.Dropout(0.1), nn.Linear(10, 33), nn.ReLU(), nn.Dropout(0.3),
        nn.Sequential(nn.Linear(33, 40, bias=False), nn.Dropout(0.2), nn.ReLU()), nn.Dropout(0.4), nn.Linear(40, 3),
    )  # fmt: skip


def normed() -> nn.Module:
    return nn.Sequential(
        nn.Linear(10, 24), nn.BatchNorm1d(24), nn.ReLU(), nn.LayerNorm(24), nn.PReLU(), nn.Linear(24, 3)
    )


def convolutional() -> nn.Module:
    return nn.Sequential(
        nn.Unflatten(1, (1, 10)),
        nn.Conv1d(1, 6, 3, padding=1),
        nn.BatchNorm1d(6),
        nn.ReLU(),
        nn.MaxPool1d(2),
        nn.Conv1d(6, 8, 3),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(24, 3),
    )


COMPILED = (rectified, rectified_with_dropout)
MODELS = {model.__name__: model for model in (linear, with_dropout, normed, convolutional, *COMPILED)}


def task(model: Callable[[], nn.Module], rows: int = 97, **settings: object) -> Task:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows + 60, 10))
    y = (x[:, 0] + 0.5 * x[:, 1] * x[:, 2] > 0).astype(int) + (x[:, 3] > 1)
    data = {"train": (x[:rows], y[:rows]), "validation": (x[rows : rows + 30], y[rows : rows + 30])}
    data |= {"test": (x[rows + 30 :], y[rows + 30 :])}
    usual = {"metric": "accuracy", "batch_size": 16, "epochs": 5, "learning_rate": 0.01}
    return Task(model=model, **(usual | data | settings))


def alone(task: Task, candidates: list[tuple[Recipe, int]]) -> list[Trial]:
    return [fit(task, recipe, seed, test=True, progress=Silent()).trial for recipe, seed in candidates]


def check_equal(stacked: list[Trial], single: list[Trial]) -> None:
    for one, other in zip(stacked, single, strict=True):
        ours, theirs = replace_seconds(one), replace_seconds(other)
        assert ours.history == theirs.history
        assert ours == theirs


def replace_seconds(trial: Trial) -> Trial:
    history = trial.history
    history.seconds = [0.0] * history.epochs
    return replace(trial, history=history)


OPTIMIZERS = ["sgd", "momentum", "adamw", "rmsprop"]


@pytest.mark.parametrize(
    ("name", "optimizer"),
    [*((name, "adam") for name in MODELS), *((name, each) for name in ("linear", "rectified") for each in OPTIMIZERS)],
)
def test_histories_are_those_of_the_members_alone(name: str, optimizer: str) -> None:
    work = task(MODELS[name], optimizer=optimizer)
    candidates = [(Recipe(rates={"*": rate}), seed) for rate in (0.0, 0.2, 0.5) for seed in (0, 7)]
    check_equal(fit_stack(work, candidates, test=True, progress=Silent()), alone(work, candidates))


REGULARIZED = [
    Recipe(),
    Recipe(rates={"1": 0.4}, schedules={"1": Early(0.5)}, penalties={"0": L1(1e-3)}, label_smoothing=0.1),
    Recipe(rates={"1": 0.4, "3": 0.2}, penalties={"*": L2(1e-2, schedule=Late(0.3))}, weight_decay=0.1),
    Recipe(rates={"2.input": 0.3, "1": 0.1}, penalties={"2": ElasticNet(l1=1e-3, l2=1e-3)}, label_smoothing=0.3),
    Recipe(constraints={"*": MaxNorm(0.5)}, weight_decay=0.0),
    Recipe(constraints={"0": NonNegative()}, penalties={"2": L1(1e-2, form="proximal"), "0": L2(0.1)}),
    Recipe(penalties={"*": L2(0.01, form="decoupled")}, rates={"*": 0.3}, early_stopping=1),
    Recipe(penalties={"0": GroupLasso(1e-3), "2": Orthogonal(1e-2), "4": L1(1e-3)}),
    Recipe(penalties={"0": GroupLasso(1e-2, form="proximal")}),
]


COMPILING = [each for each in REGULARIZED if not any(isinstance(p, GroupLasso) for p in each.penalties.values())]
"""Those of which no penalty needs torch to differentiate it."""

REGULARIZABLE = [(linear, REGULARIZED), (rectified, REGULARIZED), (rectified, COMPILING)]


@pytest.mark.parametrize("optimizer", ["adam", "momentum"])
@pytest.mark.parametrize(("model", "recipes"), REGULARIZABLE)
def test_members_of_one_stack_may_be_regularized_in_different_ways(
    model: Callable[[], nn.Module], recipes: list[Recipe], optimizer: str
) -> None:
    work = task(model, optimizer=optimizer)
    candidates = [(recipe, seed % 3) for seed, recipe in enumerate(recipes)]
    check_equal(fit_stack(work, candidates, test=True, progress=Silent()), alone(work, candidates))


@pytest.mark.parametrize(("model", "recipes"), REGULARIZABLE)
def test_gradients_are_clipped_member_by_member(model: Callable[[], nn.Module], recipes: list[Recipe]) -> None:
    work = task(model, optimizer="sgd", learning_rate=0.5, clip_norm=0.3)
    candidates = [(recipe, seed % 3) for seed, recipe in enumerate(recipes)]
    clipped = alone(work, candidates)
    check_equal(fit_stack(work, candidates, test=True, progress=Silent()), clipped)
    plain = alone(replace(work, clip_norm=None), candidates)
    assert all(a.history.train_loss != b.history.train_loss for a, b in zip(clipped, plain, strict=True))


@pytest.mark.parametrize("name", MODELS)
def test_members_leave_one_by_one(name: str) -> None:
    """Early stopping and divergence take members out; the others go on as if nothing had happened."""
    work = task(MODELS[name], epochs=12, learning_rate=0.05)
    candidates = [
        (Recipe(rates={"*": rate}, early_stopping=patience), seed)
        for seed, (rate, patience) in enumerate([(0.0, 1), (0.5, 2), (0.1, None), (0.9, 1), (0.3, 3)])
    ]
    single = alone(work, candidates)
    assert len({trial.history.epochs for trial in single}) > 2
    check_equal(fit_stack(work, candidates, test=True, progress=Silent()), single)


@pytest.mark.parametrize("kind", [linear, rectified])
def test_a_member_that_diverges_leaves_the_others_alone(kind: Callable[[], nn.Module]) -> None:
    def explosive() -> nn.Module:
        model = kind()
        if torch.initial_seed() == explosive_seed:
            nn.init.constant_(model[0].weight, 1e30)
            nn.init.constant_(model[2].weight, 1e30)
        return model

    from sukima.engines.seeds import derive_seed

    explosive_seed = derive_seed(1, "weights")
    work = task(explosive)
    candidates = [(Recipe(rates={"*": 0.2}), seed) for seed in range(3)]
    single = alone(work, candidates)
    assert [trial.history.status for trial in single] == ["finished", "diverged", "finished"]
    check_equal(fit_stack(work, candidates, test=True, progress=Silent()), single)


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("flat", [True, False])
def test_regression(outputs: int, flat: bool) -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(90, 10))
    y = x @ rng.normal(size=(10, outputs))
    y = y[:, 0] if flat and outputs == 1 else y
    work = Task(
        model=lambda: nn.Sequential(nn.Linear(10, 20), nn.ReLU(), nn.Linear(20, outputs)),
        train=(x[:60], y[:60]),
        validation=(x[60:], y[60:]),
        loss="mse",
        metric="r2",
        epochs=3,
    )
    candidates = [(Recipe(rates={"*": rate}), 0) for rate in (0.0, 0.1)]
    check_equal(fit_stack(work, candidates, test=True, progress=Silent()), alone(work, candidates))


def of_images(bias: bool = True) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=bias), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout2d(0.2),
        nn.Conv2d(8, 6, 3), nn.ReLU(), nn.Dropout(0.1), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(24, 3),
    )  # fmt: skip


def image_task(**settings: object) -> Task:
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(150, 3, 9, 8)).astype("float32"), rng.integers(0, 3, 150)
    parts = {"train": (x[:90], y[:90]), "validation": (x[90:120], y[90:120]), "test": (x[120:], y[120:])}
    return Task(**({"model": of_images, "epochs": 4, "learning_rate": 0.01, "batch_size": 16} | parts | settings))


@pytest.mark.parametrize("inserted", [0.0, 0.2])
@pytest.mark.parametrize("large", [False, True])
def test_images_lie_channels_last_and_members_have_their_bits(
    large: bool, inserted: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Members together, and large ones each in a chain of its own; also with dropout between ReLU and pooling."""
    if large:
        monkeypatch.setattr(fit_module, "_CACHED", 1)
    work = image_task()
    candidates = [
        (Recipe(rates={"4": 0.3 * s, "7": 0.5 * (s > 0), "2": inserted}, early_stopping=1 + s), s) for s in range(3)
    ]
    check_equal(fit_stack(work, candidates, test=True, progress=Silent()), alone(work, candidates))


def test_a_single_network_that_pools_is_a_stack_too() -> None:
    work, candidates = image_task(), [(Recipe(rates={"4": 0.3}), 5)]
    check_equal(fit_stack(work, candidates, test=True, progress=Silent()), alone(work, candidates))


def test_the_layout_changes_results_by_rounding_only(monkeypatch: pytest.MonkeyPatch) -> None:
    work = image_task(optimizer="momentum")
    found = alone(work, [(Recipe(), 0)])[0]
    monkeypatch.setattr("sukima.engines.torch.run.prefers_channels_last", lambda model: False)
    plain = alone(work, [(Recipe(), 0)])[0]
    assert found.history.validation_loss == pytest.approx(plain.history.validation_loss, rel=1e-4)


class Views(nn.Module):
    """A view that another order in memory would break."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Conv2d(3, 4, 3), nn.Linear(4 * 7 * 6, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.first(x).view(len(x), -1))


@pytest.mark.parametrize("model", [Views, lambda: nn.Sequential(Views())])
def test_a_forward_of_ones_own_gets_images_as_they_are(model: Callable[[], nn.Module]) -> None:
    assert alone(image_task(model=model), [(Recipe(), 0)])[0].history.status == "finished"


class Residual(nn.Module):
    """A forward of its own: residual adds, dropout that is used twice, group norm, batch norm."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(10, 16), nn.Linear(16, 16), nn.Linear(16, 3)
        self.norm, self.batch, self.drop = nn.GroupNorm(4, 16), nn.BatchNorm1d(16), nn.Dropout(0.2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.drop(self.first(x).relu())
        x = x + self.drop(self.norm(self.second(x)))
        return self.last(self.batch(x))


class Convolutions(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.drop, self.last = nn.Dropout2d(0.3), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x.view(-1, 1, 2, 5)).relu()
        return self.last((x + self.drop(self.second(x))).mean((2, 3)))


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed, self.attend = nn.Linear(2, 8), nn.MultiheadAttention(8, 2, batch_first=True)
        self.norm, self.drop, self.last = nn.LayerNorm(8), nn.Dropout(0.1), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.embed(x.view(-1, 5, 2))
        x = self.norm(x + self.drop(self.attend(x, x, x, need_weights=False)[0]))
        x = x + nn.functional.scaled_dot_product_attention(x, x, x)
        return self.last(x.mean(1))


class Transformer(nn.Module):
    """Dropout inside of attention, of each member's own rate."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.last = nn.Linear(2, 8), nn.Linear(8, 3)
        layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.2, batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.drop = nn.Dropout(0.1)

    def forward(self, x: Tensor) -> Tensor:
        mask = nn.Transformer.generate_square_subsequent_mask(5)
        return self.last(self.drop(self.blocks(self.embed(x.view(-1, 5, 2)), mask=mask, is_causal=True)).mean(1))


class Recurrent(nn.Module):
    """Two layers with dropout between, and one in both directions."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.LSTM(2, 6, 2, dropout=0.3, batch_first=True)
        self.second = nn.GRU(6, 4, bidirectional=True)
        self.drop, self.last = nn.Dropout(0.1), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        found = self.first(x.view(-1, 5, 2))[0].transpose(0, 1)
        return self.last(self.drop(self.second(found)[0][-1]))


class Tokens(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed, self.drop, self.last = nn.Embedding(7, 6), nn.Dropout(0.2), nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.drop(self.embed(x)).mean(1))


MAPPED = [Residual, Convolutions, Attention, Transformer, Recurrent, Tokens]


def of_tokens(work: Task) -> Task:
    def tokens(data: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        return (np.abs(data[0] * 3).astype(int) % 7), data[1]

    return replace(work, train=tokens(work.train), validation=tokens(work.validation), test=tokens(work.test))


@pytest.mark.parametrize("model", MAPPED)
def test_models_with_a_forward_of_their_own_are_stacked_within_rounding(
    model: type[nn.Module], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chain, "_check_worth", lambda runs: None)
    work = task(model, epochs=6, optimizer="momentum", learning_rate=0.02)  # Adam makes steps of rounding errors
    work = of_tokens(work) if model is Tokens else work
    regularized = [
        Recipe(rates={"drop": 0.0}),
        Recipe(rates={"drop": 0.5, "last.input": 0.2}, penalties={"*": L2(1e-2)}, early_stopping=1),
        Recipe(label_smoothing=0.1, weight_decay=0.1),
        Recipe(rates={"drop": 0.3}, schedules={"drop": Early(0.5)}, constraints={"last": MaxNorm(0.5)}),
    ]
    candidates = [(recipe, seed) for seed, recipe in enumerate(regularized)]
    stacked = fit_stack(work, candidates, test=True, progress=Silent())
    for ours, theirs in zip(stacked, alone(work, candidates), strict=True):
        assert ours.history.status == theirs.history.status
        for curve in ("train_loss", "validation_loss"):
            assert getattr(ours.history, curve) == pytest.approx(getattr(theirs.history, curve), rel=1e-4)
        assert ours.test is not None
        assert theirs.test is not None
        assert ours.test.loss == pytest.approx(theirs.test.loss, rel=1e-4)


@pytest.mark.parametrize("model", [normed, convolutional])
def test_chains_too_may_be_mapped(model: Callable[[], nn.Module], monkeypatch: pytest.MonkeyPatch) -> None:
    """As they are on other devices."""
    monkeypatch.setattr(chain, "_check_worth", lambda runs: None)
    monkeypatch.setattr(chain, "_is_chain", lambda model, device: False)
    work = task(model, epochs=4, optimizer="momentum", learning_rate=0.02)
    candidates = [(Recipe(rates={"*": 0.2 * seed}), seed) for seed in range(3)]
    for ours, theirs in zip(
        fit_stack(work, candidates, test=True, progress=Silent()), alone(work, candidates), strict=True
    ):
        assert ours.history.validation_loss == pytest.approx(theirs.history.validation_loss, rel=1e-3)


def test_tokens_in_a_chain_have_the_same_bits() -> None:
    work = of_tokens(task(lambda: nn.Sequential(nn.Embedding(7, 6), nn.Flatten(), nn.Dropout(0.1), nn.Linear(60, 3))))
    candidates = [(Recipe(rates={"2": 0.1 * seed}), seed) for seed in range(3)]
    check_equal(fit_stack(work, candidates, test=True, progress=Silent()), alone(work, candidates))


class Random(nn.Module):
    """Draws by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(10, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(nn.functional.dropout(x, 0.1, self.training))


class Elman(nn.Module):
    """vmap has no rule for it."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.last = nn.RNN(2, 4, batch_first=True), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.rnn(x.view(-1, 5, 2))[0][:, -1])


class Large(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(10, 200_000), nn.Linear(200_000, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.first(x))


def tied() -> nn.Module:
    layer = nn.Linear(10, 10)
    return nn.Sequential(layer, nn.ReLU(), layer, nn.ReLU(), nn.Linear(10, 3))


@pytest.mark.parametrize(
    "model", [Random, Recurrent, Elman, Large, tied, lambda: nn.Sequential(nn.Linear(10, 3), nn.AlphaDropout(0.1))]
)
def test_what_cannot_be_stacked_says_so(model: Callable[[], nn.Module], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "_FEW", 2)
    with pytest.raises(UnstackableError, match=r"."):
        fit_stack(task(model), [(Recipe(), 0), (Recipe(), 1)], test=False, progress=Silent())


def test_what_vmap_has_no_rule_for_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "_check_worth", lambda runs: None)
    with pytest.raises(UnstackableError, match="rnn_tanh"):
        fit_stack(task(Elman), [(Recipe(), 0), (Recipe(), 1)], test=False, progress=Silent())


def test_may_stack() -> None:
    assert may_stack(Recipe(rates={"a": 0.1}, weight_decay=0.1), Recipe(penalties={"a": L1(1.0)}, early_stopping=3))
    assert not may_stack(Recipe(options={"width": 3}), Recipe())
