"""Fit: the same bits for the same seed, both curves in inference mode, and whatever data people have."""

import copy
import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from sklearn import metrics
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset

import sukima
from sukima.base.errors import InputError
from sukima.engines.fitted import Fitted
from sukima.engines.torch.fit import fit

RNG = np.random.default_rng(0)
X = RNG.normal(size=(45, 4)).astype("float32")
Y = (X[:, 0] + 0.3 * RNG.normal(size=45) > 0).astype(np.int64)
XV, YV = RNG.normal(size=(20, 4)).astype("float32"), RNG.integers(0, 2, 20)


def net(outputs: int = 2) -> Callable[[], nn.Module]:
    return lambda: nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, outputs))


def task(**changes: Any) -> sukima.Task:
    arguments: dict[str, Any] = {
        "model": net(),
        "train": (X, Y),
        "validation": (XV, YV),
        "epochs": 3,
        "batch_size": 11,
        "metric": "accuracy",
    }
    return sukima.Task(**(arguments | changes))


HALF = sukima.Recipe(rates={"*": 0.5})


def same(a: Fitted, b: Fitted) -> bool:
    first, second = a.model.state_dict(), b.model.state_dict()
    curves = [(f.trial.history.train_loss, f.trial.history.validation_loss) for f in (a, b)]
    return curves[0] == curves[1] and all(torch.equal(first[name], second[name]) for name in first)


def test_the_same_seed_gives_the_same_bits_and_leaves_the_generators_alone() -> None:
    torch.manual_seed(5), np.random.seed(5), random.seed(5)
    before = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    first = fit(task(), HALF, 3)
    assert torch.equal(before[0], torch.get_rng_state())
    assert (before[1] == np.random.get_state()[1]).all()
    assert before[2] == random.getstate()
    torch.rand(7), random.random()
    assert same(first, fit(task(), HALF, 3))
    assert not same(first, fit(task(), HALF, 4))


class Recording(nn.Sequential):
    """Keeps the batches that it is trained on."""

    def __init__(self) -> None:
        super().__init__(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
        self.initial = self[0].weight.detach().clone()
        self.batches: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.batches.append(x.detach().clone())
        return super().forward(x)


class Noisy(Dataset[tuple[Tensor, int]]):
    """Random augmentation from torch's generator."""

    def __len__(self) -> int:
        return len(Y)

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        return torch.from_numpy(X[i]) + torch.randn(4), int(Y[i])


@pytest.mark.parametrize(
    "train",
    [
        (X, Y),
        Noisy(),
        DataLoader(TensorDataset(torch.tensor(X), torch.tensor(Y)), 9, shuffle=True),
        DataLoader(Noisy(), 9),
    ],
    ids=["arrays", "dataset", "loader", "noisy loader"],
)
def test_two_recipes_share_initial_weights_and_batches(train: Any) -> None:
    made = [fit(task(model=Recording, train=train, epochs=2), r, 1).model for r in (sukima.Recipe(), HALF)]
    assert torch.equal(made[0].initial, made[1].initial)
    assert len(made[0].batches) == len(made[1].batches) > 0
    assert all(torch.equal(a, b) for a, b in zip(made[0].batches, made[1].batches, strict=True))
    half = len(made[0].batches) // 2
    if train is not None and not (isinstance(train, DataLoader) and isinstance(train.dataset, Noisy)):
        assert any(not torch.equal(a, b) for a, b in zip(made[0].batches[:half], made[0].batches[half:], strict=True))


def test_both_curves_are_measured_in_inference_mode() -> None:
    fitted = fit(task(), HALF, 0)
    trial, model = fitted.trial, fitted.model
    assert not model.training
    for inputs, targets, score in ((X, Y, trial.train), (XV, YV, trial.validation)):
        with torch.no_grad():
            outputs = model(torch.tensor(inputs))
        assert score.loss == pytest.approx(float(F.cross_entropy(outputs, torch.tensor(targets))), rel=1e-5)
        assert score.metric == pytest.approx(metrics.accuracy_score(targets, outputs.argmax(1)))
    history = trial.history
    assert trial.epoch == 1 + int(np.argmin(history.validation_loss))
    assert trial.validation.loss == min(history.validation_loss)
    history.check()


def test_against_a_plain_loop() -> None:
    """Full batches, so that the order cannot matter, and no dropout."""
    fitted = fit(task(model=Recording, batch_size=45, optimizer="sgd", learning_rate=0.1, epochs=4, validation=(X, Y)))
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    again = fit(task(model=Recording, batch_size=45, optimizer="sgd", learning_rate=1e-12, epochs=1)).model
    model.load_state_dict({k: v for k, v in again.state_dict().items() if k in model.state_dict()})
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    losses = []
    for _ in range(5):
        loss = F.cross_entropy(model(torch.tensor(X)), torch.tensor(Y))
        losses.append(float(loss))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert fitted.trial.history.train_loss == pytest.approx(losses[1:], rel=1e-5)


def test_early_stopping_goes_back_to_the_best_weights() -> None:
    upside_down = task(validation=(X, 1 - Y), epochs=50, learning_rate=0.05)  # what is learnt is wrong there
    fitted = fit(upside_down, sukima.Recipe(early_stopping=3))
    history = fitted.trial.history
    assert history.status == "early_stopped"
    assert history.epochs == fitted.trial.epoch + 3
    with torch.no_grad():
        loss = float(F.cross_entropy(fitted.model(torch.tensor(X)), torch.tensor(1 - Y)))
    assert loss == pytest.approx(min(history.validation_loss), rel=1e-5)


class Failing:
    """Cross entropy that does something else at its n-th call with gradients."""

    def __init__(self, calls: int, effect: Callable[[Tensor], Tensor]) -> None:
        self.left, self.effect = calls, effect

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        loss = F.cross_entropy(outputs, targets)
        if outputs.requires_grad:
            self.left -= 1
            if self.left < 0:
                return self.effect(loss)
        return loss


def interrupt(loss: Tensor) -> Tensor:
    raise KeyboardInterrupt


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("batches", [0, 5, 9])
def test_a_loss_that_is_not_finite_stops_the_run(value: float, batches: int) -> None:
    fitted = fit(task(loss=Failing(batches, lambda loss: loss * value), epochs=5, train=(X[:44], Y[:44])))
    history = fitted.trial.history
    assert history.status == "diverged"
    assert history.epochs == batches // 4
    assert f"epoch {history.epochs + 1}" in history.note
    assert math.isinf(fitted.trial.validation.loss) == (batches < 4)
    assert all(torch.isfinite(value).all() for value in fitted.model.state_dict().values())


@pytest.mark.parametrize("batches", [0, 5])
def test_ctrl_c_keeps_what_is_done(batches: int) -> None:
    plain = fit(task(loss=Failing(10**9, interrupt), epochs=5, train=(X[:44], Y[:44])))
    fitted = fit(task(loss=Failing(batches, interrupt), epochs=5, train=(X[:44], Y[:44])), test=True)
    history = fitted.trial.history
    assert history.status == "interrupted"
    assert history.epochs == batches // 4
    assert history.validation_loss == plain.trial.history.validation_loss[: history.epochs]


class Pandas:
    """As much of a data frame as matters: rows by slices, a length, an array."""

    def __init__(self, values: Any) -> None:
        self.values = values

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: slice) -> "Pandas":
        assert isinstance(rows, slice)
        return Pandas(self.values[rows])

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.asarray(self.values, dtype)


def test_every_form_of_the_same_data_gives_the_same_result() -> None:
    x, y = torch.tensor(X), torch.tensor(Y)
    reference = fit(task())
    forms: list[Any] = [
        (X.astype("float64"), Y.astype("int32")),
        (x, y),
        (X.tolist(), Y.tolist()),
        TensorDataset(x, y),
        (Pandas(X), Pandas(Y)),
        (np.asfortranarray(X), Y.astype("uint8")),
        [X, Y],
        (X[::-1][::-1], Y),
    ]
    for form in forms:
        assert same(reference, fit(task(train=form)))
    one_hot = fit(task(train=(X, np.eye(2)[Y]), validation=(XV, np.eye(2, dtype=int)[YV])))
    assert one_hot.trial.history.train_loss == pytest.approx(reference.trial.history.train_loss, rel=1e-3)
    assert one_hot.trial.history.train_metric == reference.trial.history.train_metric
    column = fit(task(train=(X, Y[:, None])))
    assert same(reference, column)


def test_a_fraction_sets_the_last_rows_aside() -> None:
    for form in ((X, Y), (Pandas(X), Pandas(Y)), (X.tolist(), Y.tolist())):
        assert same(
            fit(task(train=form, validation=0.2)), fit(task(train=(X[:36], Y[:36]), validation=(X[36:], Y[36:])))
        )
    with pytest.raises(InputError, match="both sides"):
        fit(task(validation=0.001))


@pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
@pytest.mark.parametrize("metric", ["mse", "rmse", "mae", "r2"])
def test_regression_against_scikit_learn(shape: tuple[int, ...], metric: str) -> None:
    targets = (100 + X[:, 1]).reshape(shape)
    fitted = fit(task(model=net(1), train=(X, targets), validation=(X, targets), loss="mse", metric=metric, epochs=1))
    with torch.no_grad():
        outputs = fitted.model(torch.tensor(X)).flatten().double().numpy()
    flat = targets.ravel().astype(float)
    expected = {
        "mse": metrics.mean_squared_error(flat, outputs),
        "rmse": metrics.mean_squared_error(flat, outputs) ** 0.5,
        "mae": metrics.mean_absolute_error(flat, outputs),
        "r2": metrics.r2_score(flat, outputs),
    }
    assert fitted.trial.train.metric == pytest.approx(expected[metric], rel=1e-4)
    assert fitted.trial.train.loss == pytest.approx(expected["mse"], rel=1e-4)
    assert fitted.trial.history.metric_increases == (metric == "r2")


def test_shapes_that_would_broadcast_are_refused() -> None:
    with pytest.raises(InputError, match="one number for each output"):
        fit(task(model=net(3), train=(X, X), loss="mse", metric=None))


@pytest.mark.parametrize("outputs", [1, 3])
def test_binary_logits(outputs: int) -> None:
    labels = (X[:, :outputs] > 0).astype(int)
    targets = labels[:, 0] if outputs == 1 else labels
    fitted = fit(task(model=net(outputs), train=(X, targets), validation=(X, targets), loss="binary_cross_entropy"))
    with torch.no_grad():
        logits = fitted.model(torch.tensor(X))
    assert fitted.trial.train.metric == pytest.approx(float(((logits > 0).numpy() == labels).mean()))
    expected = float(F.binary_cross_entropy_with_logits(logits, torch.tensor(labels).float()))
    assert fitted.trial.train.loss == pytest.approx(expected, rel=1e-5)


def test_language_model_shapes() -> None:
    words = RNG.integers(0, 9, (30, 6))
    language = task(
        model=lambda: nn.Sequential(nn.Embedding(9, 8), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 9)),
        train=(words[:, :5], words[:, 1:]),
        validation=(words[:, :5], words[:, 1:]),
    )
    fitted = fit(language, HALF)
    with torch.no_grad():
        outputs = fitted.model(torch.tensor(words[:, :5]))
    expected = F.cross_entropy(outputs.flatten(0, 1), torch.tensor(words[:, 1:]).flatten())
    assert fitted.trial.train.loss == pytest.approx(float(expected), rel=1e-5)
    assert fitted.trial.train.metric == pytest.approx(float((outputs.argmax(-1).numpy() == words[:, 1:]).mean()))


@pytest.mark.parametrize("name", ["sgd", "momentum", "adam", "adamw", "rmsprop"])
def test_optimizers_by_name_and_factory(name: str) -> None:
    history = fit(task(optimizer=name, epochs=8)).trial.history
    assert history.train_loss[-1] < history.train_loss[0]


def test_gradients_are_clipped_whoever_makes_the_optimizer() -> None:
    """A step of plain gradient descent is then no longer than the learning rate times the largest norm."""

    def length(**changes: Any) -> float:
        torch.manual_seed(0)
        model = nn.Linear(4, 2)
        before = torch.nn.utils.parameters_to_vector(model.parameters()).detach().clone()
        one_step = {"train": (X[:9] * 100, Y[:9]), "batch_size": 9, "epochs": 1}
        after = fit(task(model=lambda: copy.deepcopy(model), **(one_step | changes))).model.parameters()
        return float((torch.nn.utils.parameters_to_vector(after).detach() - before).norm())

    for optimizer in ("sgd", lambda parameters: torch.optim.SGD(parameters, 0.1)):
        assert length(optimizer=optimizer, learning_rate=0.1 if optimizer == "sgd" else None) > 0.1
        clipped = length(optimizer=optimizer, clip_norm=0.5, learning_rate=0.1 if optimizer == "sgd" else None)
        assert clipped == pytest.approx(0.05, rel=1e-4)
    with pytest.raises(InputError, match="clip_norm must be"):
        task(clip_norm=0)


def test_a_factory_gets_the_weight_decay() -> None:
    made: list[torch.optim.Optimizer] = []

    def factory(parameters: Any) -> torch.optim.Optimizer:
        made.append(torch.optim.SGD(parameters, 0.1))
        return made[-1]

    fit(task(optimizer=factory, epochs=1), sukima.Recipe(weight_decay=0.25))
    assert [group["weight_decay"] for group in made[0].param_groups] == [0.25]


def test_weight_decay_makes_adam_decoupled() -> None:
    recipe = sukima.Recipe(weight_decay=0.1)
    assert same(fit(task(optimizer="adam"), recipe), fit(task(optimizer="adamw"), recipe))
    assert not same(fit(task(optimizer="adam"), recipe), fit(task(optimizer="adam")))


def test_label_smoothing_trains_and_is_not_measured() -> None:
    fitted = fit(task(), sukima.Recipe(label_smoothing=0.2))
    with torch.no_grad():
        plain = float(F.cross_entropy(fitted.model(torch.tensor(XV)), torch.tensor(YV)))
    assert fitted.trial.validation.loss == pytest.approx(plain, rel=1e-5)
    assert not same(fitted, fit(task()))
    with pytest.raises(InputError, match="label_smoothing"):
        fit(task(loss="mse", metric=None), sukima.Recipe(label_smoothing=0.2))


def test_options_reach_the_factory() -> None:
    def build(width: int = 3, norm: bool = False) -> nn.Module:
        return nn.Sequential(nn.Linear(4, width), *([nn.BatchNorm1d(width)] if norm else []), nn.Linear(width, 2))

    fitted = fit(task(model=build, epochs=1), sukima.Recipe(options={"width": 5, "norm": True}))
    assert fitted.model[0].out_features == 5
    assert len(fitted.model) == 3
    with pytest.raises(InputError, match=r"options.*depth"):
        fit(task(model=build), sukima.Recipe(options={"depth": 5}))


@pytest.mark.parametrize(
    "train", [(X[:23], Y[:23]), [(torch.tensor(a), int(b)) for a, b in zip(X[:23], Y[:23], strict=True)]]
)
def test_a_last_batch_of_one_row_does_not_break_batch_norm(train: Any) -> None:
    if len(train) != 2:

        class Rows(Dataset[Any]):
            def __len__(self) -> int:
                return 23

            def __getitem__(self, i: int) -> Any:
                return train[i]

        data: Any = Rows()
    else:
        data = train
    assert fit(task(train=data)).trial.history.status == "finished"


def test_a_penalty_shrinks_the_weights() -> None:
    slow = task(epochs=10, optimizer="sgd", validation=(X, Y))
    plain, heavy = (fit(slow, r).model[0].weight.norm() for r in (None, sukima.Recipe(penalties={"*": sukima.L2(0.1)})))
    assert heavy < 0.8 * plain


def test_a_model_that_caches_in_its_first_pass() -> None:
    class Caching(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc, self.scale = nn.Linear(4, 2), {}

        def forward(self, x: Tensor) -> Tensor:
            scale = self.scale.setdefault(len(x), torch.ones(len(x), 1))
            return self.fc(x * scale) * scale

    assert fit(task(model=Caching, batch_size=20, train=(X[:40], Y[:40]))).trial.history.epochs == 3


def test_a_metric_of_ones_own() -> None:
    def error(outputs: Tensor, targets: Tensor) -> float:
        return float((outputs.argmax(1) != targets).double().mean())

    trial = fit(task(metric=error, metric_increases=False)).trial
    assert trial.history.metric == "error"
    assert not trial.history.metric_increases
    assert trial.train.metric == pytest.approx(1 - fit(task()).trial.train.metric)
