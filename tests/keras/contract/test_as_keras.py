"""What the Keras project checks of its own regularization layers, checked of ours."""

import json
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as kl
from keras.src.testing import TestCase  # ships with Keras: the checks of its own layers' tests
from members import MEMBERS, Member
from once import once

import sukima.keras as sk
from sukima.base.errors import InputError

every = pytest.mark.parametrize("member", MEMBERS.values(), ids=list(MEMBERS))


def made(member: Member, rate: float = 0.5, **kwargs: Any) -> Any:
    return member.make(rate, seed=3, **member.extra, **kwargs)


@every
# Inference, where nothing happens, on one backend only: each check compiles some models.
@pytest.mark.parametrize("training", [True, False] if keras.backend.backend() == "torch" else [True])
def test_keras_s_own_checks(member: Member, training: bool) -> None:
    """Configuration, building, symbolic and eager calls, a step of training, mixed precision."""
    TestCase().run_layer_test(
        member.make,
        init_kwargs={"rate": 0.2, "seed": 1, **member.extra},
        input_shape=(4, *member.shape),
        call_kwargs={"training": training},
        expected_output_shape=(4, *member.shape),
        expected_num_trainable_weights=0,
        expected_num_non_trainable_weights=0,
        expected_num_losses=0,
        supports_masking=True,
        assert_built_after_instantiation=True,
        run_training_check=False,  # each is trained in `test_family.test_inside_a_model`
    )


WITH_WEIGHTS: dict[str, tuple[Any, dict[str, Any], tuple[int, ...], tuple[int, ...], int, int]] = {
    "DropConnect": (sk.DropConnect, {"units": 3, "rate": 0.2}, (4, 5), (4, 3), 2, 0),
    "LSTM": (sk.LSTM, {"units": 3, "dropout": 0.2, "recurrent_dropout": 0.3}, (4, 5, 2), (4, 3), 3, 0),
    "GRU": (sk.GRU, {"units": 3, "dropout": 0.2, "recurrent_dropout": 0.3}, (4, 5, 2), (4, 3), 3, 0),
    "LSTMCell": (kl.RNN, {"cell": sk.LSTMCell(3, dropout=0.2, seed=1)}, (4, 5, 2), (4, 3), 3, 0),
    "GRUCell": (kl.RNN, {"cell": sk.GRUCell(3, recurrent_dropout=0.2, seed=1)}, (4, 5, 2), (4, 3), 3, 0),
    "ConcreteDropout": (sk.ConcreteDropout, {"layer": kl.Dense(3, name="inner")}, (4, 5), (4, 3), 3, 1),
}


@pytest.mark.parametrize("name", WITH_WEIGHTS)
def test_keras_s_own_checks_of_layers_with_weights(name: str) -> None:
    make, arguments, given, gives, weights, losses = WITH_WEIGHTS[name]
    TestCase().run_layer_test(
        make,
        init_kwargs=arguments,
        input_shape=given,
        call_kwargs={"training": True},
        expected_output_shape=gives,
        expected_num_trainable_weights=weights,
        expected_num_non_trainable_weights=0,
        expected_num_losses=losses,
        supports_masking=True,
        # As in Keras' own tests: a layer that is handed in has a dtype of its own.
        run_mixed_precision_check=not {"cell", "layer"} & arguments.keys(),
    )


def test_a_subclass_may_have_something_to_build() -> None:
    class Scaled(sk.Dropout):
        def build(self, input_shape: Any) -> None:
            self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones")

        def call(self, inputs: Any, training: bool = False) -> Any:
            return super().call(inputs, training) * self.scale

    layer = Scaled(0.5, seed=1)
    layer(np.ones((2, 3), "float32"))
    assert [tuple(weight.shape) for weight in layer.weights] == [(3,)]


@every
def test_a_layer_has_no_weights_and_no_losses(member: Member) -> None:
    layer = made(member)
    assert layer.supports_masking
    assert layer.built
    layer(np.ones((2, *member.shape), "float32"), training=True)
    assert layer.built
    assert (layer.trainable_weights, layer.non_trainable_weights, layer.get_weights(), layer.losses) == ([], [], [], [])


@every
def test_a_configuration_is_plain_and_complete(member: Member) -> None:
    layer = made(member, name="here", dtype="mixed_bfloat16")
    config = json.loads(json.dumps(layer.get_config()))
    again = type(layer).from_config(config)
    assert json.loads(json.dumps(again.get_config())) == config
    x = np.ones((4, *member.shape), "float32")
    for training in (True, False):
        one, two = (keras.ops.convert_to_numpy(keras.ops.cast(each(x, training=training), "float32"))
                    for each in (type(layer).from_config(config), again))  # fmt: skip
        np.testing.assert_array_equal(one, two)


@every
def test_lengths_that_are_not_known(member: Member) -> None:
    if member.make is sk.Dropout and not member.extra:
        shape: tuple[Any, ...] = (None,)
    else:
        shape = tuple(n if n == member.shape[-1] else None for n in member.shape)
    given = keras.Input(shape)
    result = made(member)(given, training=True)
    assert result.shape == given.shape
    x = np.ones((3, *member.shape), "float32")
    model = keras.Model(given, made(member, 0.0)(given, training=True))
    np.testing.assert_allclose(model.predict(x, verbose=0), x, rtol=1e-6, atol=1e-6)


@every
def test_compiled_by_xla(member: Member) -> None:
    """The same masks as without."""
    if keras.backend.backend() != "tensorflow":
        pytest.skip("JAX always compiles by XLA, torch never does")
    x = np.random.default_rng(0).normal(size=(4, *member.shape)).astype("float32")
    losses = []
    for jit in (True, False):
        model = keras.Sequential([keras.Input(member.shape), made(member, 0.4), kl.Flatten(), kl.Rescaling(2.0)])
        model.compile("sgd", "mse", jit_compile=jit)
        losses.append([float(model.train_on_batch(x, np.zeros((4, np.prod(member.shape))))) for _ in range(2)])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-4)
    assert losses[0][0] != losses[0][1] or member.extra.get("per") == "batch"


@pytest.mark.parametrize("policy", ["mixed_float16", pytest.param("mixed_bfloat16", marks=once)])
def test_mixed_precision_in_fit(policy: str) -> None:
    short = policy.removeprefix("mixed_")
    before = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy(policy)
    keras.utils.set_random_seed(0)
    try:
        model = keras.Sequential(
            [
                keras.Input((6, 4)),
                sk.SpatialDropout1D(0.2),
                sk.GRU(5, dropout=0.2, recurrent_dropout=0.2),
                sk.DropConnect(8, rate=0.3, activation="relu"),
                sk.Dropout(0.4),
                sk.ConcreteDropout(kl.Dense(1)),
                kl.Activation("linear", dtype="float32"),
            ]
        )
        rows = np.random.default_rng(0).normal(size=(64, 6, 4)).astype("float32")
        model.compile(keras.optimizers.Adam(0.01), "mse")
        losses = model.fit(rows, rows.mean((1, 2)) + 2, epochs=6, verbose=0).history["loss"]
    finally:
        keras.mixed_precision.set_dtype_policy(before)
    assert np.isfinite(losses).all()
    assert losses[-1] < 0.95 * losses[0]  # the bias goes towards 2, whatever the masks
    assert {layer.compute_dtype for layer in model.layers[:-1]} == {short}
    assert {keras.backend.standardize_dtype(weight.dtype) for weight in model.weights} == {"float32"}
    assert model.predict(rows, verbose=0).dtype == np.float32


IDENTIFIED = [
    lambda **kwargs: sk.DropConnect(3, **kwargs),
    lambda **kwargs: sk.LSTM(3, **kwargs),
    lambda **kwargs: sk.GRUCell(3, **kwargs),
]


@pytest.mark.parametrize("make", IDENTIFIED)
@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("kernel_regularizer", "l1l2"),  # of Keras' own the strength is 0: no penalty at all
        ("kernel_regularizer", "ridge"),
        ("bias_regularizer", 0.1),
        ("kernel_constraint", "max"),
        ("kernel_initializer", "xavier"),
        ("activation", "rellu"),
    ],
)
def test_unknown_identifiers_are_errors(make: Any, argument: str, value: Any) -> None:
    with pytest.raises(InputError, match=f"{argument} must be one that Keras knows.*got {value!r}"):
        make(**{argument: value})
    make(kernel_regularizer="l2", kernel_constraint="max_norm", activation="tanh")
