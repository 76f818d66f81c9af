"""What every layer of the family does, on the backend of this process."""

import doctest
import importlib
import pkgutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from gradients import gradient
from keras import ops
from members import MEMBERS, Member

import sukima.keras as sk
from sukima.base.errors import InputError
from sukima.keras.backends import masks
from sukima.keras.masks import normal
from sukima.masks import law
from sukima.masks.key import MaskKey

every = pytest.mark.parametrize("member", MEMBERS.values(), ids=list(MEMBERS))


def made(member: Member, rate: float, seed: int | None = 3, **kwargs: Any) -> Any:
    return member.make(rate, seed=seed, **member.extra, **kwargs)


def given(member: Member, rows: int = 5, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=(rows, *member.shape)).astype("float32")


def trained(layer: Any, x: Any) -> Any:
    return ops.convert_to_numpy(layer(x, training=True))


@every
def test_inference_does_nothing(member: Member) -> None:
    layer, x = made(member, 0.7), given(member)
    for training in (False, None):
        np.testing.assert_array_equal(ops.convert_to_numpy(layer(x, training=training)), x)
    assert layer.compute_output_shape((None, *member.shape)) == (None, *member.shape)


@every
def test_each_call_has_its_own_mask_and_a_seed_repeats_them(member: Member) -> None:
    layer, x = made(member, 0.5), given(member, 64)
    first, second = trained(layer, x), trained(layer, x)
    if member.extra.get("per") != "batch":
        assert not np.array_equal(first, second)
    again = made(member, 0.5)
    np.testing.assert_array_equal(trained(again, x), first)
    np.testing.assert_array_equal(trained(again, x), second)


def test_seed_and_counter_are_never_summed() -> None:
    x = np.ones((8, 32), "float32")
    drawn = {}
    for seed in range(40, 45):
        layer = sk.Dropout(0.5, seed=seed)
        for call in range(4):
            drawn[seed, call] = trained(layer, x).tobytes()
    assert len(set(drawn.values())) == len(drawn)


@every
def test_rates_at_the_ends(member: Member) -> None:
    x = given(member)
    np.testing.assert_allclose(trained(made(member, 0.0), x), x, rtol=1e-6, atol=1e-6)
    if member.below_one:
        with pytest.raises(InputError, match=r"rate must be in \[0, 1\)"):
            made(member, 1.0)
        return
    nothing = trained(made(member, 1.0), x)
    assert np.isfinite(nothing).all()
    if member.exact:
        assert not nothing.any()


@every
@pytest.mark.parametrize("rate", [-0.1, 1.5, float("nan"), "half", True, None])
def test_wrong_rates(member: Member, rate: Any) -> None:
    with pytest.raises(InputError, match=r"rate must be in \[0, 1[\])], got"):
        made(member, rate)
    layer = made(member, 0.5)
    with pytest.raises(InputError, match=r"rate must be in \[0, 1[\])], got"):
        layer.rate = rate
    assert layer.rate == 0.5


@every
@pytest.mark.parametrize("seed", [-1, 1.5, "a", True, 2**31])
def test_wrong_seeds(member: Member, seed: Any) -> None:
    with pytest.raises(InputError, match=r"seed must be None or a whole number"):
        made(member, 0.5, seed=seed)


@every
def test_the_expectation_is_the_input(member: Member) -> None:
    x = np.ones((512, *member.shape), "float32")
    if member.extra.get("scaled") is False or not member.exact:
        return
    layer = made(member, 0.4)
    mean = np.mean([trained(layer, x).mean() for _ in range(4)])
    assert abs(mean - 1) < 0.1


@every
def test_dropped_elements_are_zero_whatever_was_there(member: Member) -> None:
    if not member.exact:
        return
    ones = np.ones((16, *member.shape), "float32")
    dropped = trained(made(member, 0.5), ones) == 0
    x = np.where(dropped, np.float32("nan"), ones)
    result = trained(made(member, 0.5), x)
    np.testing.assert_array_equal(result == 0, dropped)
    assert not np.signbit(result[dropped]).any()


@every
def test_gradients_are_those_of_the_same_mask(member: Member) -> None:
    x, weights = given(member), given(member, seed=1)
    found = gradient(lambda x: ops.sum(ops.multiply(made(member, 0.4)(x, training=True), weights)), x)
    # Every layer here is affine in its input, so that a difference is exact.
    step = np.full_like(x, 0.5)
    difference = (trained(made(member, 0.4), x + step) - trained(made(member, 0.4), x - step)) * weights
    np.testing.assert_allclose(found, difference, rtol=2e-3, atol=2e-3)


@every
def test_configuration(member: Member) -> None:
    layer = made(member, 0.3, name="here")
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer)).rate == 0.3
    layer.rate = 0.6
    assert layer.get_config()["rate"] == 0.6


@every
def test_inside_a_model(member: Member, tmp_path: Path) -> None:
    inputs = keras.Input(member.shape)
    model = keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Flatten()(made(member, 0.3)(inputs))))
    x = given(member, 6)
    model.compile("sgd", "mse")
    model.train_on_batch(x, np.zeros((6, 2), "float32"))
    assert len(model.get_weights()) == 2
    before = model.predict(x, verbose=0)
    np.testing.assert_array_equal(model.predict(x, verbose=0), before)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.predict(x, verbose=0), before, rtol=1e-5, atol=1e-6)
    assert again.layers[1].rate == 0.3
    model.summary(print_fn=lambda *_: None)


@every
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "float64"])
def test_types(member: Member, policy: str) -> None:
    if policy == "float64" and keras.backend.backend() == "jax":
        pytest.skip("JAX has no float64 by default")
    x = given(member)
    result = made(member, 0.4, dtype=policy)(x, training=True)
    assert keras.backend.standardize_dtype(result.dtype) == policy.removeprefix("mixed_")
    if member.exact:
        kept = ops.convert_to_numpy(ops.cast(result, "float32")) != 0
        np.testing.assert_array_equal(kept, trained(made(member, 0.4), x) != 0)


def test_masks_pass_through() -> None:
    model = keras.Sequential([keras.layers.Embedding(5, 3, mask_zero=True), sk.SpatialDropout1D(0.2), sk.Dropout(0.1)])
    result = model(np.array([[1, 2, 0]]))
    np.testing.assert_array_equal(ops.convert_to_numpy(result._keras_mask), [[True, True, False]])


@pytest.mark.parametrize("value", ["all", (None, 0), 3, (None, 1.5)])
def test_wrong_noise_shapes(value: Any) -> None:
    for layer in (sk.Dropout, sk.AlphaDropout):
        with pytest.raises(InputError, match="noise_shape must be a sequence"):
            layer(0.5, noise_shape=value)


@pytest.mark.parametrize("value", [(None, 2), (None,), (4, 3)])
@pytest.mark.parametrize("training", [True, False])
def test_noise_shapes_that_do_not_fit(value: Any, training: bool) -> None:
    with pytest.raises(InputError, match="noise_shape must give 1, None or"):
        sk.Dropout(0.5, noise_shape=value)(np.ones((5, 3), "float32"), training=training)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: sk.SpatialDropout2D(0.5, data_format="last"), "data_format must be one of"),
        (lambda: sk.DropPath(0.5, per="row"), "per must be one of"),
        (lambda: sk.DropBlock2D(0.5, block_size=0), "block_size must be a whole number"),
        (lambda: sk.ConcreteDropout(keras.layers.Flatten()), "layer must be Dense"),
        (lambda: sk.ConcreteDropout(keras.layers.Dense(2), rate=1.0), r"rate must be in \(0, 1\)"),
        (lambda: sk.LSTM(3, dropout=1.5), r"dropout must be in \[0, 1\]"),
        (lambda: sk.GRU(3, recurrent_dropout=-1), r"recurrent_dropout must be in \[0, 1\]"),
        (lambda: sk.DropConnect(3, rate=2), r"rate must be in \[0, 1\]"),
    ],
)
def test_wrong_arguments(make: Any, text: str) -> None:
    with pytest.raises(InputError, match=text):
        make()


def mask_key(seed: int, kind: str, call: int = 0) -> MaskKey:
    key = MaskKey(seed | call << 32)
    return key.fold_in(kind) if kind else key


SHAPES = {  # member → kind, and the shape of its mask for 5 rows
    "Dropout": ("", (5, 6)),
    "Dropout shaped": ("shaped", (5, 1, 3)),
    "SpatialDropout1D": ("channel", (5, 1, 3)),
    "SpatialDropout2D": ("channel", (5, 1, 1, 3)),
    "SpatialDropout2D first": ("channel", (5, 3, 1, 1)),
    "SpatialDropout3D": ("channel", (5, 1, 1, 1, 3)),
    "DropPath": ("path", (5, 1, 1)),
    "LockedDropout": ("locked", (5, 1, 3)),
}


@pytest.mark.parametrize("rate", [0.3, 0.001])
@pytest.mark.parametrize("name", SHAPES)
def test_bits_of_the_law(name: str, rate: float) -> None:
    member, (kind, shape) = MEMBERS[name], SHAPES[name]
    layer, x = made(member, rate, seed=11), given(member)
    for call in range(2):
        kept = law.keep(mask_key(11, kind, call), rate, int(np.prod(shape))).reshape(shape)
        np.testing.assert_array_equal(trained(layer, x), np.where(kept, x * np.float32(law.scale(rate)), 0))


@pytest.mark.parametrize("size", [1, 7, 1023, 65_537, 300_001])
@pytest.mark.parametrize("rate", [0.25, 0.002])
def test_bits_of_every_size(size: int, rate: float) -> None:
    x = np.ones((1, size), "float32")
    kept = law.keep(mask_key(5, ""), rate, size)
    np.testing.assert_array_equal(trained(sk.Dropout(rate, seed=5), x)[0] != 0, kept)


def test_an_empty_batch() -> None:
    assert trained(sk.Dropout(0.5), np.ones((0, 4), "float32")).shape == (0, 4)


def test_alpha_dropout_has_the_bits_of_the_law() -> None:
    x = np.zeros((4, 50), "float32")
    kept = law.keep(mask_key(2, "alpha"), 0.3, 200).reshape(4, 50)
    result = trained(sk.AlphaDropout(0.3, seed=2), x)
    assert len(np.unique(result[kept])) == len(np.unique(result[~kept])) == 1
    assert result[kept][0] > result[~kept][0]


def test_alpha_dropout_keeps_mean_and_variance() -> None:
    x = np.random.default_rng(0).normal(size=(400, 400)).astype("float32")
    result = trained(sk.AlphaDropout(0.4, seed=2), x)
    assert abs(result.mean()) < 0.02
    assert abs(result.std() - 1) < 0.02


def test_blocks_of_the_law() -> None:
    block, rate = 3, 0.3
    seeds = 1 - (1 - rate) ** (1 / block**2)
    x = np.ones((2, 6, 7, 3), "float32")
    centres = law.keep(mask_key(4, "block"), seeds, 2 * 8 * 9 * 3).reshape(2, 8, 9, 3)
    kept = np.ones(x.shape, bool)
    for i in range(block):
        for j in range(block):
            kept &= centres[:, i : i + 6, j : j + 7]
    result = trained(sk.DropBlock2D(rate, block, seed=4, data_format="channels_last"), x)
    np.testing.assert_array_equal(result != 0, kept)


def test_noise_is_that_of_the_words() -> None:
    size, rate = 100_000, 0.4
    words = law.words(mask_key(9, "gaussian"), size // 4).reshape(-1)
    uniform = ((words >> 9).astype(np.float32) + 0.5) * 2.0**-23
    pairs = uniform.astype(np.float64).reshape(-1, 2)
    radius, angle = np.sqrt(-2 * np.log(pairs[:, 0])), 2 * np.pi * pairs[:, 1]
    exact = np.stack((np.cos(angle) * radius, np.sin(angle) * radius), -1).reshape(-1)
    key = masks.fold(masks.new_key(keras.random.SeedGenerator(9).state.value), "gaussian")
    given = ops.convert_to_numpy(masks.uniform((size // 2, 2), key, ops.ones(1)))
    np.testing.assert_array_equal(given.reshape(-1), uniform)  # 24 bits: nothing is rounded
    noise = ops.convert_to_numpy(normal((size,), key, ops.ones(1)))
    assert (np.abs(noise - exact) <= 8 * np.repeat(np.spacing(radius.astype(np.float32)), 2)).all()
    result = trained(sk.GaussianDropout(rate, seed=9), np.ones((1, size), "float32"))[0]
    np.testing.assert_allclose(result, 1 + noise * (rate / (1 - rate)) ** 0.5, rtol=0, atol=1e-6)


def test_a_changed_rate_takes_effect_in_a_compiled_model() -> None:
    layer = sk.Dropout(0.5)
    model = keras.Sequential([keras.Input((20,)), layer, keras.layers.Dense(1, kernel_initializer="ones")])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    x, y = np.ones((16, 20), "float32"), np.full((16, 1), 20, "float32")
    weights = len(model.get_weights())
    assert model.train_on_batch(x, y) > 1
    for rate, loss in ((0.0, 0.0), (1.0, 400.0), (0.0, 0.0)):
        layer.rate = rate
        assert abs(float(model.train_on_batch(x, y)) - loss) < 1e-3
    layer.rate = 0.001  # decided by 32 bits instead of 16
    assert float(model.train_on_batch(x, y)) < 20
    assert len(model.get_weights()) == weights == 2
    assert abs(float(model.evaluate(x, y, verbose=0))) < 1e-3


@pytest.mark.parametrize("size", [40, 20_000])
def test_compiled_by_xla(size: int) -> None:
    if keras.backend.backend() == "torch":
        pytest.skip("XLA is not torch's compiler")
    x, y = np.ones((4, size), "float32"), np.zeros((4, size), "float32")
    losses = {}
    for jit in (True, False):
        model = keras.Sequential([keras.Input((size,)), sk.Dropout(0.3, seed=6), keras.layers.Rescaling(2.0)])
        model.compile("sgd", "mse", jit_compile=jit)
        losses[jit] = [float(model.train_on_batch(x, y)) for _ in range(3)]
    np.testing.assert_allclose(losses[True], losses[False], rtol=1e-5)
    assert len(set(losses[True])) == 3


def test_drop_connect() -> None:
    x = np.eye(6, dtype="float32")
    layer = sk.DropConnect(4, rate=0.4, seed=8, kernel_initializer="ones")
    result = trained(layer, x)
    kept = law.keep(mask_key(8, "weight"), 0.4, 24).reshape(4, 6).T
    np.testing.assert_allclose(result, np.where(kept, law.scale(0.4), 0), rtol=1e-6)
    np.testing.assert_array_equal(ops.convert_to_numpy(layer(x)), np.ones((6, 4)))
    assert sk.DropConnect.from_config(layer.get_config()).get_config() == layer.get_config()
    assert len(layer.get_weights()) == 2


def test_concrete_dropout_learns_its_rate() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 8)).astype("float32")
    layer = sk.ConcreteDropout(keras.layers.Dense(1), rate=0.3, dropout_regularizer=0.0, seed=1)
    model = keras.Sequential([keras.Input((8,)), layer])
    model.compile(keras.optimizers.Adam(0.05), "mse")
    model.fit(x, x.sum(1, keepdims=True), epochs=20, batch_size=50, verbose=0)
    assert layer.rate < 0.2  # noise only hurts here
    assert len(model.get_weights()) == 3
    prediction = model.predict(x, verbose=0)
    np.testing.assert_array_equal(model.predict(x, verbose=0), prediction)
    assert keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer)).first_rate == 0.3


def test_examples_run() -> None:
    for found in pkgutil.iter_modules(sk.__path__, "sukima.keras."):
        if found.name != "sukima.keras.backends":
            assert doctest.testmod(importlib.import_module(found.name)).failed == 0
