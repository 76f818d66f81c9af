"""The watch over Keras models, in compiled training and out of it."""

import keras
import numpy as np

import sukima
from sukima.integrations.keras import WatchCallback

X = np.random.default_rng(0).normal(size=(64, 8)).astype("float32")
Y = (X.sum(1) > 0).astype("int32")


class Forced(keras.layers.Dropout):
    """On at inference too."""

    def call(self, inputs, training=False):
        return super().call(inputs, training=True)


class Still(keras.layers.Dropout):
    """Always the same mask."""

    def call(self, inputs, training=False):
        if not training:
            return inputs
        mask = np.tile([0.0, 2.0], 32).astype("float32")
        return inputs * keras.ops.convert_to_tensor(mask)


class Dead(keras.layers.Dropout):
    """A rate, and no effect."""

    def call(self, inputs, training=False):
        return inputs


def build(*drops: keras.layers.Layer) -> keras.Model:
    body = [layer for drop in drops for layer in (keras.layers.Dense(64, "tanh"), drop)]
    model = keras.Sequential([keras.Input((8,)), *body, keras.layers.Dense(2)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def watched(model: keras.Model, x: np.ndarray = X, **options: object) -> list[str]:
    with sukima.watch(model, show=False, **options) as watch:
        model.fit(x, Y, batch_size=16, epochs=2, validation_data=(x, Y), verbose=0)
    return sorted(f.code for f in watch.findings)


def test_a_proper_run_is_silent_and_leaves_no_trace() -> None:
    model = build(keras.layers.Dropout(0.5), keras.layers.Dropout(0.3))
    model.fit(X, Y, verbose=0)
    jit = model.jit_compile
    assert watched(model) == []
    assert model.jit_compile == jit
    assert not any("call" in vars(layer) for layer in [model, *model.layers])
    model.fit(X, Y, verbose=0)


def test_dropout_at_evaluation() -> None:
    assert watched(build(Forced(0.5))) == ["SK110"]
    assert watched(build(Forced(0.5)), sampling=True) == []


def test_masks_that_stand_still_or_never_drop() -> None:
    assert watched(build(Still(0.5))) == ["SK141"]
    assert watched(build(Dead(0.5))) == ["SK142"]


def test_unscaled_inputs_unless_the_model_scales() -> None:
    assert watched(build(keras.layers.Dropout(0.5)), X * 255) == ["SK239"]
    model = keras.Sequential([keras.Input((8,)), keras.layers.Rescaling(1 / 255), keras.layers.Dense(2)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    assert watched(model, X * 255) == []


def test_one_mask_in_two_sites_and_rates_that_differ() -> None:
    assert watched(build(Still(0.5), Still(0.5))).count("SK143") == 1
    recipe = sukima.Recipe(rates={"one": 0.1, "x": 0.25})
    assert watched(build(keras.layers.Dropout(0.5, name="one")), recipe=recipe) == ["SK214"]


def test_as_a_callback() -> None:
    model = build(Dead(0.5))
    callback = WatchCallback(show=False)
    model.fit(X, Y, batch_size=16, verbose=0, callbacks=[callback])
    assert [f.code for f in callback.findings] == ["SK142"]
