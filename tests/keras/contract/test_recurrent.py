"""LSTM and GRU beside a plain loop over time steps in NumPy."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

import sukima.keras as sk
from sukima.masks import law
from sukima.masks.key import MaskKey

SEED, ROWS, STEPS, FEATURES, UNITS = 7, 3, 5, 4, 6


def factors(call: int, kind: str, shape: tuple[int, int], rate: float) -> Any:
    kept = law.keep(MaskKey(SEED | call << 32).fold_in(kind), rate, shape[0] * shape[1]).reshape(shape)
    return np.where(kept, law.scale(rate), 0.0)


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def lstm(x: Any, weights: Any, hide: Any) -> Any:
    kernel, recurrent, bias = weights
    h = c = np.zeros((ROWS, UNITS))
    out = []
    for t in range(STEPS):
        i, f, g, o = np.split(x[:, t] @ kernel + (h * hide) @ recurrent + bias, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        out.append(h)
    return np.stack(out, 1)


def gru(x: Any, weights: Any, hide: Any) -> Any:
    kernel, recurrent, bias = weights
    h = np.zeros((ROWS, UNITS))
    out = []
    for t in range(STEPS):
        z, r, new = np.split(x[:, t] @ kernel + (bias[0] if bias.ndim == 2 else bias), 3, axis=1)
        masked = h * hide
        if bias.ndim == 2:
            hz, hr, hn = np.split(masked @ recurrent + bias[1], 3, axis=1)
            new = new + sigmoid(r + hr) * hn
        else:
            hz, hr, _ = np.split(masked @ recurrent, 3, axis=1)
            new = new + (sigmoid(r + hr) * masked) @ recurrent[:, 2 * UNITS :]
        z = sigmoid(z + hz)
        h = z * h + (1 - z) * np.tanh(new)
        out.append(h)
    return np.stack(out, 1)


CASES = {
    "LSTM": (sk.LSTM, lstm, {}),
    "LSTM without cuDNN": (sk.LSTM, lstm, {"use_cudnn": False}),
    "GRU": (sk.GRU, gru, {}),
    "GRU reset before": (sk.GRU, gru, {"reset_after": False, "use_cudnn": False}),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("rates", [(0.3, 0.4), (0.0, 1.0)])
def test_equal_to_a_loop(name: str, rates: tuple[float, float]) -> None:
    make, loop, extra = CASES[name]
    of_inputs, of_hidden = rates
    x = np.random.default_rng(0).normal(size=(ROWS, STEPS, FEATURES)).astype("float32")
    layer = make(
        UNITS, dropout=of_inputs, recurrent_dropout=of_hidden, seed=SEED, return_sequences=True, **extra,
        bias_initializer=keras.initializers.RandomNormal(seed=1),
    )  # fmt: skip
    result = ops.convert_to_numpy(layer(x, training=True))
    weights = [w.astype(np.float64) for w in layer.get_weights()]
    calls = iter(range(2))
    masks = [
        factors(next(calls), kind, shape, rate) if rate else 1.0
        for kind, shape, rate in (
            ("locked", (ROWS, FEATURES), of_inputs),
            ("recurrent hidden", (ROWS, UNITS), of_hidden),
        )
    ]
    given = x * masks[0][:, None] if of_inputs else x
    np.testing.assert_allclose(result, loop(given, weights, masks[1]), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        ops.convert_to_numpy(layer(x, training=False)), loop(x, weights, 1.0), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("make", [sk.LSTM, sk.GRU])
def test_in_a_model(make: Any, tmp_path: Any) -> None:
    model = keras.Sequential(
        [
            keras.layers.Embedding(9, FEATURES, mask_zero=True),
            keras.layers.Bidirectional(make(UNITS, dropout=0.2, recurrent_dropout=0.3)),
            keras.layers.Dense(1),
        ]
    )
    x = np.array([[1, 2, 0, 0], [3, 4, 5, 0]])
    model.compile("sgd", "mse")
    model.fit(x, np.zeros((2, 1)), epochs=2, verbose=0)
    before = model.predict(x, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.predict(x, verbose=0), before, rtol=1e-5, atol=1e-6)
    layer = again.layers[1].forward_layer
    assert (layer.dropout, layer.recurrent_dropout) == (0.2, 0.3)
    layer.recurrent_dropout = 0.5
    assert layer.get_config()["recurrent_dropout"] == 0.5
