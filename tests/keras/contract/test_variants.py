"""Other Keras models for the arms of a comparison, and what is looked at in trained ones."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as kl
from once import once

import sukima
import sukima.keras as sk
from sukima.comparison.variants import noise_for, vary
from sukima.engines.keras.probe import Probe, hidden_outputs
from sukima.engines.variant import UnavailableError

pytestmark = once

RNG = np.random.default_rng(0)


def dense() -> Any:
    return keras.Sequential(
        [
            keras.Input((8,)),
            kl.Dense(12, activation="relu", name="first"),
            sk.Dropout(0.5, name="drop"),
            kl.Dense(6, name="second"),
            kl.Activation("tanh", name="act"),
            kl.Dense(3, activation="softmax", name="out"),
        ]
    )


def images() -> Any:
    given = keras.Input((10, 10, 2))
    x = kl.Conv2D(6, 3, padding="same", activation="relu", name="conv")(given)
    x = kl.Add()([x, kl.Conv2D(6, 1, activation="gelu", name="side")(given)])
    x = kl.Flatten()(kl.MaxPooling2D()(x))
    return keras.Model(given, kl.Dense(3, name="out")(x))


def task(model: Any, shape: tuple[int, ...] = (8,), **changes: Any) -> sukima.Task:
    x, y = RNG.normal(size=(60, *shape)).astype("float32"), RNG.integers(0, 3, 60)
    return sukima.Task(model=model, train=(x[:30], y[:30]), validation=(x[30:], y[30:]), epochs=1, **changes)


ACTIVATED = {dense: [0.7], images: [0.7, 0.530625]}
CASES = [(dense, (8,), ["first", "second"]), (images, (10, 10, 2), ["conv", "side"])]


@pytest.mark.parametrize(("model", "shape", "hidden"), CASES)
def test_batch_norm_stands_before_every_activation(model: Any, shape: tuple[int, ...], hidden: list[str]) -> None:
    keras.utils.set_random_seed(3)
    plain = model()
    keras.utils.set_random_seed(3)
    varied = vary(task(model, shape), "batch_norm").model
    keras.utils.set_random_seed(3)
    normed = varied()
    names = [layer.name for layer in normed.layers]
    for name in hidden:
        linear = f"{name}_linear" if f"{name}_linear" in names else name
        assert normed.get_layer(linear).activation.__name__ == "linear"
        np.testing.assert_array_equal(normed.get_layer(linear).kernel, plain.get_layer(name).kernel)
        norm = normed.get_layer(f"{name}_norm")
        norm.gamma.assign(norm.gamma * 0)
        norm.beta.assign(norm.beta + 0.7)
    # Before the activation, a norm that always gives 0.7 makes each activation that of 0.7.
    seen = hidden_outputs(normed, np.ones((2, *shape), "float32"))
    for values, known in zip(seen, ACTIVATED[model], strict=True):
        np.testing.assert_allclose(values, known, rtol=1e-4)
    assert sukima.sites(normed).keys() == sukima.sites(plain).keys()
    assert "out_norm" not in names
    assert normed(np.zeros((2, *shape), "float32")).shape == (2, 3)


@pytest.mark.parametrize(("model", "shape", "hidden"), CASES)
def test_a_smaller_model_has_half_the_units(model: Any, shape: tuple[int, ...], hidden: list[str]) -> None:
    full, halved = model(), vary(task(model, shape), "smaller").model()
    for name in hidden:
        assert halved.get_layer(name).kernel.shape[-1] == full.get_layer(name).kernel.shape[-1] // 2
    assert halved.output_shape == full.output_shape
    assert sukima.sites(halved).keys() == sukima.sites(full).keys()


def test_images_are_moved_in_training_only() -> None:
    for model in (images, lambda: keras.Sequential([keras.Input((10, 10, 2)), *images_in_a_row()])):
        made = vary(task(model, (10, 10, 2)), "augmentation").model()
        x = RNG.normal(size=(4, 10, 10, 2)).astype("float32")
        quiet = [keras.ops.convert_to_numpy(made(x, training=False)) for _ in range(2)]
        np.testing.assert_array_equal(*quiet)
        assert not np.allclose(keras.ops.convert_to_numpy(made(x, training=True)), quiet[0])


def images_in_a_row() -> list[Any]:
    return [kl.Conv2D(4, 3, activation="relu"), kl.GlobalAveragePooling2D(), kl.Dense(3)]


class Subclassed(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.out = kl.Dense(4, activation="relu"), kl.Dense(3)

    def call(self, x: Any) -> Any:
        return self.out(self.hidden(x))


@pytest.mark.parametrize(
    ("model", "change", "why"),
    [
        (lambda: keras.Sequential([keras.Input((8,)), kl.BatchNormalization(), kl.Dense(3)]), "batch_norm", "already"),
        (lambda: keras.Sequential([keras.Input((8,)), kl.Dense(3)]), "batch_norm", "no layer"),
        (lambda: keras.Sequential([keras.Input((8,)), kl.Dense(3)]), "smaller", "no hidden layer"),
        (lambda: keras.Sequential([keras.Input((8,)), kl.Dense(4), kl.PReLU(), kl.Dense(3)]), "smaller", "PReLU"),
        (dense, "augmentation", "neither images"),
        (Subclassed, "smaller", "does not know how the layers of a Subclassed follow"),
        (dense, "more_data", "no spare data"),
    ],
)  # fmt: skip
def test_what_a_task_does_not_allow_is_said(model: Any, change: str, why: str) -> None:
    with pytest.raises(UnavailableError, match=why):
        vary(task(model), change)


def test_noise_in_the_units_of_the_inputs() -> None:
    x, y = RNG.normal(5, 2, size=(400, 8)).astype("float32"), RNG.integers(0, 3, 400)
    work = sukima.Task(model=dense, train=(x, y), validation=0.2, epochs=1)
    assert noise_for(work) == pytest.approx(0.6, rel=0.1)
    assert noise_for(task(images, (10, 10, 2))) == 0


def test_what_is_looked_at_in_a_model() -> None:
    work = task(dense, metric="accuracy")
    model, probe = dense(), Probe(work)
    x, y = work.validation
    whole = keras.Model(model.inputs, [model.get_layer("drop").output, model.outputs[0]])
    hidden, outputs = (keras.ops.convert_to_numpy(part) for part in whole(x, training=False))
    assert not probe.logits
    np.testing.assert_array_equal(probe.targets("validation"), y)
    np.testing.assert_allclose(probe.outputs(model, "validation"), outputs, rtol=1e-5)
    assert not np.allclose(probe.outputs(model, "validation", 0.5), outputs)
    np.testing.assert_array_equal(*(probe.outputs(model, "validation", 0.5) for _ in range(2)))
    (seen,) = probe.hidden(model, "validation")
    np.testing.assert_allclose(seen, hidden, rtol=1e-5)
    assert "call" not in vars(model.get_layer("drop"))
    assert [kernel.shape for kernel in probe.kernels(model)] == [(8, 12), (12, 6), (6, 3)]
    score = probe.score(outputs, y)
    assert score.loss == pytest.approx(-np.log(outputs[np.arange(30), y]).mean(), rel=1e-4)
    assert score.metric == pytest.approx((outputs.argmax(1) == y).mean())


def test_masked_passes_leave_the_model_as_it_was() -> None:
    work, model = task(dense), dense()
    probe, state = Probe(work), model.get_layer("drop").seed_generator.state
    before = keras.ops.convert_to_numpy(state).copy()
    plain, passes = probe.masked(model, "validation", 1000, 3)
    assert len(passes) == 3
    assert not np.array_equal(passes[0], passes[1])
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(state), before)
    np.testing.assert_array_equal(plain, probe.outputs(model, "validation"))
    again = dense()
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(probe.masked(again, "validation", 1000, 3)[1], passes)  # the same masks for all
    model.get_layer("drop").rate = 0.0
    assert probe.masked(model, "validation", 1000, 3)[1] == []
