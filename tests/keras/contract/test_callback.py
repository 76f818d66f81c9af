"""`SukimaCallback` in a fit of one's own."""

import json
import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as kl
from once import once

import sukima
import sukima.keras as sk
from sukima.base.errors import InputError
from sukima.integrations.keras import OverfittingWarning, SukimaCallback

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(60, 8)).astype("float32"), RNG.integers(0, 2, 60)
VALIDATION = (RNG.normal(size=(60, 8)).astype("float32"), RNG.integers(0, 2, 60))


def model(dropout: Any = sk.Dropout, units: int = 16) -> Any:
    made = keras.Sequential(
        [keras.Input((8,)), kl.Dense(units, activation="relu"), dropout(0.5, name="drop"), kl.Dense(2)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    made.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    return made


def fitted(made: Any, callback: SukimaCallback, epochs: int = 3) -> Any:
    return made.fit(X, Y, validation_data=VALIDATION, epochs=epochs, verbose=0, callbacks=[callback])


def test_training_in_inference_mode_beside_keras_own(tmp_path: Path) -> None:
    made = model()
    callback = SukimaCallback(train=(X, Y), metric="accuracy", path=tmp_path / "history.json")
    logs = fitted(made, callback).history
    assert callback.history.train_in_inference_mode
    assert callback.history.train_loss == logs["inference_loss"]
    assert callback.history.validation_metric == logs["val_accuracy"]
    assert logs["loss"] != logs["inference_loss"]
    last = made.evaluate(X, Y, verbose=0, return_dict=True)
    np.testing.assert_allclose(logs["inference_loss"][-1], last["loss"], rtol=1e-5)
    assert json.loads((tmp_path / "history.json").read_text())["metric"] == "accuracy"


def test_a_recipe_and_its_schedule() -> None:
    made = model()
    recipe = sukima.Recipe(
        rates={"drop": 0.6},
        schedules={"drop": sukima.Early(0.5)},
        penalties={"*": sukima.L1(strength=0.5, form="proximal")},
    )
    callback = SukimaCallback(recipe)
    fitted(made, callback, 4)
    assert callback.applied is not None
    assert callback.applied.rate_now("drop") == 0.0
    assert (made.get_weights()[0] == 0).any()
    assert callback.history.train_in_inference_mode is False


def test_a_recipe_that_needs_a_new_model() -> None:
    made = model(kl.Dropout)
    recipe = sukima.Recipe(rates={"drop": 0.2})
    with pytest.raises(InputError, match=r"fit the handle's model"):
        fitted(made, SukimaCallback(recipe))
    applied = sukima.apply(made, recipe)
    callback = SukimaCallback(applied)
    fitted(applied.model, callback, 1)
    assert callback.history.epochs == 1
    with pytest.raises(InputError, match="got that of another"):
        fitted(made, SukimaCallback(applied))


@once
def test_a_warning_as_overfitting_begins() -> None:
    made = model(lambda _rate, name: sk.Dropout(0.0, name=name), units=128)
    made.optimizer.learning_rate = 0.02
    callback = SukimaCallback(train=(X, Y), metric="accuracy")
    with pytest.warns(OverfittingWarning, match="overfitting since epoch") as caught:
        fitted(made, callback, 30)
    assert len([w for w in caught if w.category is OverfittingWarning]) == 1
    assert callback.verdict is not None
    assert callback.verdict.verdict == "overfitting"


@once
def test_training_may_be_stopped() -> None:
    made = model(units=128)
    made.get_layer("drop").rate = 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("error", OverfittingWarning)
        logs = fitted(made, SukimaCallback(train=(X, Y), warn=False, stop=True), 60).history
    assert len(logs["loss"]) < 60


@once
def test_what_is_missing() -> None:
    with pytest.raises(InputError, match="expected validation_data"):
        model().fit(X, Y, epochs=1, verbose=0, callbacks=[SukimaCallback()])
    with pytest.raises(InputError, match="metric must be one of accuracy, loss, got 'f1'"):
        fitted(model(), SukimaCallback(metric="f1"))
    with pytest.raises(InputError, match="recipe must be"):
        SukimaCallback(0.5)  # type: ignore[arg-type]


def test_the_advice_names_the_sites_of_a_keras_model() -> None:
    curves = {"loss": [2 / e for e in range(1, 41)], "val_loss": [2 / e + 0.02 * max(0, e - 12) for e in range(1, 41)]}
    verdict = sukima.diagnose(curves, model=model(), rows=20)
    assert verdict.verdict == "overfitting"
    assert verdict.recipe is not None
    assert verdict.recipe.rates == {"drop": 0.6}
    assert not any("learn them by heart" in message.text("en") for message in verdict.advice)
    large = sukima.diagnose(curves, model=model(units=64), rows=20)
    assert any("learn them by heart" in message.text("en") for message in large.advice)
