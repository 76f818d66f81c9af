"""Sites of Keras models, and recipes in force on them."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as kl

import sukima
import sukima.keras as sk
from sukima.base.errors import InputError

X = np.random.default_rng(0).normal(size=(32, 12)).astype("float32")
Y = np.zeros((32, 3), "float32")


def plain(*rest: Any) -> Any:
    layers = [
        keras.Input((12,)),
        kl.Dense(8, activation="relu", name="first"),
        kl.Dense(6, activation="relu", name="second"),
        kl.Dense(3, activation="softmax", name="out"),
        *rest,
    ]
    return keras.Sequential(layers)


def ours(layer: Any = sk.Dropout) -> Any:
    return keras.Sequential(
        [
            keras.Input((12,)),
            kl.Dense(8, activation="relu"),
            layer(0.5, name="a"),
            kl.Dense(6, activation="relu"),
            kl.BatchNormalization(),
            layer(0.4, name="b"),
            kl.Dense(3),
        ]
    )


def functional() -> Any:
    inputs = keras.Input((8, 8, 3))
    x = kl.Conv2D(4, 3, padding="same", name="conv")(inputs)
    x = kl.BatchNormalization(name="norm")(x)
    x = kl.ReLU(name="relu")(x)
    x = kl.Add(name="sum")([x, kl.Conv2D(4, 1, activation="gelu", name="side")(inputs)])
    x = kl.Flatten()(x)
    x = kl.Dense(5, activation="tanh", name="hidden")(x)
    return keras.Model(inputs, kl.Dense(2, name="out")(x))


def test_sites_there_are() -> None:
    found = sukima.sites(ours())
    assert list(found) == ["a", "b"]
    assert (found["a"].rate, found["a"].after, found["a"].batch_norm) == (0.5, "Dense(12, 8)", False)
    assert (found["b"].rate, found["b"].place, found["b"].batch_norm) == (0.4, "hidden", True)
    assert sukima.sites(ours(kl.Dropout)).keys() == found.keys()


def test_sites_there_could_be() -> None:
    found = sukima.sites(plain())
    assert list(found) == ["first", "second"]
    assert not any(site.exists for site in found.values())
    graph = sukima.sites(functional())
    assert {name: (site.kind, site.place) for name, site in graph.items()} == {
        "relu": ("channel", "convolution"),
        "side": ("channel", "convolution"),
        "hidden": ("unit", "hidden"),
    }


def test_a_site_at_the_output() -> None:
    assert sukima.sites(plain(kl.Dropout(0.5, name="late")))["late"].place == "output"
    assert (
        sukima.sites(keras.Sequential([keras.Input((4,)), sk.Dropout(0.1, name="early"), kl.Dense(2)]))["early"].place
        == "input"
    )


def test_a_site_after_the_norm_that_follows() -> None:
    model = keras.Sequential(
        [keras.Input((12,)), kl.Dense(8, activation="relu"), kl.BatchNormalization(name="norm"), kl.Dense(3)]
    )
    (site,) = sukima.sites(model).values()
    assert (site.name, site.batch_norm) == ("norm", True)


def test_our_layers_are_set_in_place() -> None:
    model = ours()
    model.compile("sgd", "mse")
    applied = sukima.apply(model, sukima.Recipe(rates={"*": 0.2, "b": 0.1}))
    assert applied.model is model
    assert (model.get_layer("a").rate, model.get_layer("b").rate) == (0.2, 0.1)
    applied.rates["a"] = 0.3
    assert model.get_layer("a").rate == 0.3
    applied.remove()
    assert (model.get_layer("a").rate, model.get_layer("b").rate) == (0.5, 0.4)


@pytest.mark.parametrize("make", [plain, lambda: ours(kl.Dropout), functional])
def test_a_rate_takes_effect_in_a_compiled_model(make: Any, tmp_path: Path) -> None:
    model = make()
    model.compile(keras.optimizers.SGD(0.0), "mse")
    x = np.random.default_rng(0).normal(size=(16, *model.input_shape[1:])).astype("float32")
    y = np.zeros((16, *model.output_shape[1:]), "float32")
    weights = [w.copy() for w in model.get_weights()]
    before = model.predict(x, verbose=0)
    applied = sukima.apply(model, sukima.Recipe(rates={"*": 0.5}))
    new = applied.model
    assert new is not model
    assert new.compiled
    new.optimizer.learning_rate = 0.0
    np.testing.assert_allclose(new.predict(x, verbose=0), before, rtol=1e-4, atol=1e-5)
    losses = {float(new.train_on_batch(x, y)) for _ in range(4)}
    assert len(losses) == 4
    for site in applied.rates:
        applied.rates[site] = 0.0
    if make is plain:
        again = [float(new.train_on_batch(x, y)) for _ in range(2)]
        np.testing.assert_allclose(again, float(new.evaluate(x, y, verbose=0)), rtol=1e-5)
    assert [w.shape for w in new.get_weights()] == [w.shape for w in weights]
    assert new.weights[0] is model.weights[0]
    model.save_weights(tmp_path / "plain.weights.h5")
    new.load_weights(tmp_path / "plain.weights.h5")


def test_inserted_dropout_stands_where_it_should() -> None:
    applied = sukima.apply(functional(), sukima.Recipe(rates={"relu": 0.2, "hidden": 0.3}))
    names = [layer.name for layer in applied.model.layers]
    assert names.index("relu_dropout") == names.index("relu") + 1
    assert isinstance(applied.model.get_layer("relu_dropout"), sk.SpatialDropout2D)
    assert isinstance(applied.model.get_layer("hidden_dropout"), sk.Dropout)
    assert sukima.sites(applied.model)["hidden_dropout"].rate == 0.3


def test_nested_models() -> None:
    inner = keras.Sequential([keras.Input((12,)), kl.Dense(8, activation="relu", name="fc")], name="encoder")
    inputs = keras.Input((12,))
    model = keras.Model(inputs, kl.Dense(3)(inner(inputs)))
    assert list(sukima.sites(model)) == ["encoder.fc"]
    applied = sukima.apply(model, sukima.Recipe(rates={"encoder.fc": 0.5}))
    assert applied.rate_now("encoder.fc") == 0.5
    assert applied.model.get_layer("encoder").layers[-1].rate == 0.5
    x = np.ones((4, 12), "float32")
    np.testing.assert_allclose(applied.model.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-5)


class Subclassed(keras.Model):
    def __init__(self, dropout: Any) -> None:
        super().__init__()
        self.dense, self.drop, self.out = kl.Dense(4, activation="relu"), dropout, kl.Dense(3)

    def call(self, x: Any, training: bool = False) -> Any:
        return self.out(self.drop(self.dense(x), training=training))


def test_subclassed_models() -> None:
    model = Subclassed(sk.Dropout(0.5, name="drop"))
    model(X)
    assert sukima.sites(model)["drop"].rate == 0.5
    assert sukima.apply(model, sukima.Recipe(rates={"drop": 0.1})).model is model
    assert model.drop.rate == 0.1
    theirs = Subclassed(kl.Dropout(0.5, name="drop"))
    theirs(X)
    with pytest.raises(InputError, match="expected a sequential or functional one"):
        sukima.apply(theirs, sukima.Recipe(rates={"drop": 0.1}))


def test_schedules() -> None:
    applied = sukima.apply(ours(), sukima.Recipe(rates={"*": 0.4}, schedules={"a": sukima.Linear(0, 1)}))
    assert (applied.rate_now("a"), applied.rate_now("b")) == (0.0, 0.4)
    applied.progress(0.5)
    assert (applied.rate_now("a"), applied.rate_now("b")) == (0.2, 0.4)


def loss_of(model: Any) -> float:
    return float(sum(keras.ops.convert_to_numpy(loss) for loss in model.losses))


def cosines(w: Any) -> Any:
    """The mean size of the cosines between different rows."""
    rows = w / np.linalg.norm(w, axis=1, keepdims=True)
    return np.abs(np.triu(rows @ rows.T, 1)).sum() / (len(w) * (len(w) - 1) / 2)


@pytest.mark.parametrize(
    ("penalty", "expected"),
    [
        (sukima.L1(strength=0.1), lambda w: 0.1 * np.abs(w).sum()),
        (sukima.L2(strength=0.1), lambda w: 0.1 * (w**2).sum()),
        (sukima.ElasticNet(l1=0.1, l2=0.2), lambda w: 0.1 * np.abs(w).sum() + 0.2 * (w**2).sum()),
        (sukima.GroupLasso(strength=0.1), lambda w: 0.1 * np.sqrt(12) * np.sqrt((w**2).sum(0)).sum()),
        (sukima.GroupLasso(strength=0.1, groups="input"), lambda w: 0.1 * np.sqrt(8) * np.sqrt((w**2).sum(1)).sum()),
        (sukima.Orthogonal(strength=0.1), lambda w: 0.1 * cosines(w)),
    ],
)
def test_penalties(penalty: Any, expected: Any) -> None:
    model = plain()
    applied = sukima.apply(model, sukima.Recipe(penalties={"first": penalty}))
    assert applied.model is model
    np.testing.assert_allclose(loss_of(model), expected(model.get_weights()[0]), rtol=1e-5)
    applied.remove()
    assert model.losses == []


def test_a_penalty_beside_the_model_s_own() -> None:
    model = keras.Sequential([keras.Input((4,)), kl.Dense(2, kernel_regularizer=keras.regularizers.L2(0.5))])
    own = loss_of(model)
    applied = sukima.apply(model, sukima.Recipe(penalties={"*": sukima.L2(strength=0.5)}))
    np.testing.assert_allclose(loss_of(model), 2 * own, rtol=1e-6)
    applied.remove()
    np.testing.assert_allclose(loss_of(model), own, rtol=1e-6)


def test_a_scheduled_penalty_in_a_compiled_model() -> None:
    model = plain()
    model.compile(keras.optimizers.SGD(0.0), "mse")
    free = float(model.train_on_batch(X, Y))
    recipe = sukima.Recipe(penalties={"first": sukima.L2(strength=1.0, schedule=sukima.Linear(0, 1))})
    applied = sukima.apply(model, recipe)
    squares = float((model.get_weights()[0] ** 2).sum())
    for progress in (0.0, 0.5, 1.0):
        applied.progress(progress)
        np.testing.assert_allclose(float(model.train_on_batch(X, Y)), free + progress * squares, rtol=1e-4)
    assert len(model.get_weights()) == 6


def test_an_activity_penalty() -> None:
    model = plain()
    model.compile(keras.optimizers.SGD(0.0), "mse")
    free = float(model.train_on_batch(X, Y))
    sukima.apply(model, sukima.Recipe(penalties={"first": sukima.Activity(strength=0.1)}))
    given = np.maximum(X @ model.get_weights()[0], 0)
    np.testing.assert_allclose(float(model.train_on_batch(X, Y)), free + 0.1 * given.sum() / 32, rtol=1e-4)


STEP = 0.1
STEPS = [
    (sukima.L1(strength=1.0, form="proximal"), lambda w: np.sign(w) * np.maximum(np.abs(w) - STEP, 0)),
    (sukima.L1(strength=1.0, form="decoupled"), lambda w: w - STEP * np.sign(w)),
    (sukima.L2(strength=0.5, form="proximal"), lambda w: w / (1 + STEP)),
    (sukima.L2(strength=0.5, form="decoupled"), lambda w: w * (1 - STEP)),
    (
        sukima.ElasticNet(l1=0.5, l2=0.5, form="proximal"),
        lambda w: np.sign(w) * np.maximum(np.abs(w) - STEP / 2, 0) / (1 + STEP),
    ),
    (
        sukima.GroupLasso(strength=0.5, form="proximal"),
        lambda w: w * np.maximum(1 - STEP / 2 * np.sqrt(12) / np.linalg.norm(w, axis=0), 0),
    ),
]


@pytest.mark.parametrize(("penalty", "expected"), STEPS)
def test_steps_after_the_optimizer_s(penalty: Any, expected: Any) -> None:
    model = plain()
    model.compile(keras.optimizers.SGD(STEP), "mse")
    before = model.get_weights()
    sukima.apply(model, sukima.Recipe(penalties={"first": penalty})).step()
    np.testing.assert_allclose(model.get_weights()[0], expected(before[0]), atol=1e-6)
    for now, was in zip(model.get_weights()[1:], before[1:], strict=True):
        np.testing.assert_array_equal(now, was)


def test_proximal_steps_give_zeros() -> None:
    model = plain()
    model.compile(keras.optimizers.SGD(0.1), "mse")
    before = model.get_weights()[0]
    applied = sukima.apply(model, sukima.Recipe(penalties={"first": sukima.L1(strength=1.0, form="proximal")}))
    assert applied.has_steps
    applied.step()
    after = model.get_weights()[0]
    np.testing.assert_allclose(after, np.sign(before) * np.maximum(np.abs(before) - 0.1, 0), atol=1e-6)
    assert (after == 0).any()


@pytest.mark.parametrize(
    ("constraint", "holds"),
    [
        (sukima.MaxNorm(0.1), lambda w: (np.linalg.norm(w, axis=0) <= 0.1001).all()),
        (sukima.UnitNorm(), lambda w: np.allclose(np.linalg.norm(w, axis=0), 1, atol=1e-3)),
        (sukima.NonNegative(), lambda w: (w >= 0).all()),
    ],
)
def test_constraints(constraint: Any, holds: Any) -> None:
    model = plain()
    model.compile("sgd", "mse")
    applied = sukima.apply(model, sukima.Recipe(constraints={"first": constraint}))
    model.fit(X, Y, epochs=1, verbose=0)
    assert holds(model.get_weights()[0])
    applied.remove()
    assert model.get_layer("first").kernel.constraint is None


@pytest.mark.parametrize(
    ("recipe", "text"),
    [
        (sukima.Recipe(rates={"nowhere": 0.5}), r"rates: expected one of the model's sites \(first, second\)"),
        (sukima.Recipe(rates={"out": 0.5}), "never inserted at the output layer"),
        (sukima.Recipe(penalties={"no*": sukima.L1(strength=1)}), "penalties: expected one of the model's sites"),
        (sukima.Recipe(constraints={"x": sukima.UnitNorm()}), "constraints: expected one of"),
        (sukima.Recipe(schedules={"first": sukima.Early()}), "schedules: expected one of"),
    ],
)
def test_what_the_model_has_not(recipe: sukima.Recipe, text: str) -> None:
    with pytest.raises(InputError, match=text):
        sukima.apply(plain(), recipe)


def test_a_model_that_is_not_built() -> None:
    with pytest.raises(InputError, match="model must be built"):
        sukima.apply(keras.Sequential([kl.Dense(3)]), sukima.Recipe())


def test_keras_s_dropout_is_replaced() -> None:
    model = ours(kl.Dropout)
    model.compile("sgd", "mse")
    new = sk.replace(model)
    assert isinstance(new.get_layer("a"), sk.Dropout)
    assert (new.get_layer("a").rate, new.name, new.compiled) == (0.5, model.name, True)
    np.testing.assert_allclose(new.predict(X, verbose=0), model.predict(X, verbose=0), rtol=1e-5)
    assert sk.replace(new) is new


def test_sampling_in_compiled_functions() -> None:
    model = ours()
    quiet = model.predict(X, verbose=0)
    with sk.sampling(model):
        one, two = (model.predict(X, verbose=0) for _ in range(2))
    assert not np.array_equal(one, two)
    np.testing.assert_array_equal(model.predict(X, verbose=0), quiet)
