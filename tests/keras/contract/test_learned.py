"""Rates learned by gradient, for Keras models; what the strategy does with them is tested on torch."""

import random
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as kl
from once import once

import sukima
import sukima.keras as sk
from sukima.base.errors import InputError
from sukima.engines.keras.learned import _Apart, learn_rates
from sukima.engines.progress import Silent

RNG = np.random.default_rng(0)
X = RNG.normal(size=(180, 12)).astype("float32")
Y = (X[:, 0] + X[:, 1] + RNG.normal(0, 1, 180) > 0).astype("int64")


def model(*dropout: Any) -> Any:
    layers = [keras.Input((12,)), kl.Dense(24, activation="relu", name="first"), *dropout]
    return keras.Sequential([*layers, kl.Dense(16, activation="tanh", name="second"), kl.Dense(2)])


def task(**changes: Any) -> sukima.Task:
    settings: dict[str, Any] = {
        "model": lambda: model(kl.Dropout(0.3, name="drop")),
        "train": (X[:100], Y[:100]),
        "validation": (X[100:140], Y[100:140]),
        "test": (X[140:], Y[140:]),
        "epochs": 8,
        "learning_rate": 0.005,
        "batch_size": 10,
    }
    return sukima.Task(**{**settings, **changes})


def test_two_starts_move_towards_each_other() -> None:
    random.seed(4)
    before = random.getstate(), np.random.get_state()[1].tolist()
    epochs: list[int] = []
    work, heard = task(batch_size=20), lambda: epochs.append(1)
    low, high = (learn_rates(work, [["drop"]], start, 0, after_epoch=heard)[0] for start in (0.1, 0.6))
    assert 0.1 < low < high < 0.6
    assert high - low < 0.4  # of 0.5 at the start
    assert len(epochs) == 16
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before
    short = task(epochs=1, batch_size=50)
    assert learn_rates(short, [["drop"]], 0.3, 0) == learn_rates(short, [["drop"]], 0.3, 0)


@once
def test_sites_where_dropout_could_be_and_that_share_a_rate() -> None:
    work = task(model=model, epochs=2)
    apart = learn_rates(work, [["first"], ["second"]], 0.3, 0)
    (shared,) = learn_rates(work, [["first", "second"]], 0.3, 0)
    assert shared == pytest.approx(sum(apart) / 2, rel=1e-4)
    assert apart[0] != apart[1]


def test_convolutions_in_a_graph_and_in_a_nested_model() -> None:
    def branched() -> Any:
        inputs = keras.Input((6, 2))
        x = kl.Conv1D(4, 3, padding="same", activation="relu", name="one")(inputs)
        inner = keras.Sequential(
            [keras.Input((6, 4)), kl.Conv1D(4, 3, padding="same", activation="relu")], name="inner"
        )
        x = kl.Add()([inner(sk.SpatialDropout1D(0.2, name="drop")(x)), x])
        return keras.Model(inputs, kl.Dense(2)(kl.Flatten()(x)))

    images = X.reshape(-1, 6, 2)
    work = task(model=branched, train=(images[:100], Y[:100]), validation=(images[100:140], Y[100:140]), epochs=1)
    (rate,) = learn_rates(work, [["drop"]], 0.2, 0)
    assert 0 < rate < 1
    assert rate != 0.2


def test_weights_and_rates_have_optimizers_of_their_own() -> None:
    weight, logit = keras.Variable(np.ones(3, "float32")), keras.Variable(np.float32(0.5))
    made = _Apart(keras.optimizers.SGD(0.1), {id(logit)})
    made.build([weight, logit])
    given = [
        keras.ops.convert_to_tensor(np.array([1.0, 2.0, -1.0], "float32")),
        keras.ops.convert_to_tensor(np.float32(7)),
    ]
    made.apply(given)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(weight), [0.9, 0.8, 1.1], rtol=1e-6)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(logit), 0.48, rtol=1e-5)
    assert len(made.variables) == len({id(variable) for variable in made.variables})


class Subclassed(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.drop, self.two = kl.Dense(4), sk.Dropout(0.2, name="drop"), kl.Dense(2)

    def call(self, x: Any, training: bool = False) -> Any:
        return self.two(self.drop(self.one(x), training=training))


def recurrent() -> Any:
    return keras.Sequential(
        [keras.Input((12,)), kl.Reshape((6, 2)), kl.Dropout(0.2, name="drop"), sk.LSTM(3, name="lstm"), kl.Dense(2)]
    )


@pytest.mark.parametrize(
    ("make", "site", "text"),
    [
        (recurrent, "drop", "site drop: rates are learned before a linear layer or a convolution, got LSTM"),
        (recurrent, "lstm", "site lstm: rates are learned before a linear layer or a convolution, got LSTM"),
        (model, "dense", "site dense.*: rates are learned before .*, got -"),
        (Subclassed, "drop", "expected a sequential or functional one"),
    ],
)
def test_where_rates_cannot_be_learned(make: Any, site: str, text: str) -> None:
    with pytest.raises(InputError, match=text):
        learn_rates(task(model=make), [[site]], 0.1, 0)


def test_a_loss_that_is_not_finite() -> None:
    work = task(train=(X[:100] * 1e18, Y[:100]), loss="mse", optimizer="sgd", model=lambda: keras.Sequential(
        [keras.Input((12,)), kl.Dense(3, activation="relu", name="first"), kl.Dense(1)]))  # fmt: skip
    with pytest.raises(InputError, match="while rates were learned"):
        learn_rates(work, [["first"]], 0.1, 0)


@once
def test_the_strategy() -> None:
    settings: dict[str, Any] = {"search_seeds": 1, "test_seeds": 2, "workers": 1, "progress": Silent()}
    work = task(epochs=1, batch_size=50)
    found = sukima.tune(work, strategy="learned", **settings)
    assert found.complete
    assert found.strategy == "learned"
    assert "have not converged" in str(found.remark)
    tried = [arm.recipe.rates["drop"] for arm in found.search if "drop" in arm.recipe.rates]
    for start in (0.1, 0.5):
        (rate,) = learn_rates(work, [["drop"]], start, 0)
        assert min(abs(rate - each) for each in tried) <= 0.0251  # the space has steps of 0.05
