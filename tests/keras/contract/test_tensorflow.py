"""The kernels as an operation of TensorFlow."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras
import numpy as np
import pytest

if keras.backend.backend() != "tensorflow":
    pytest.skip("of TensorFlow only", allow_module_level=True)

import tensorflow as tf

import sukima.keras as sk
from sukima.keras.backends import on_tensorflow, tensorflow_op
from sukima.masks import law
from sukima.masks.key import MaskKey

SEED, STREAM = 7 | 9 << 32, 0xFEDCBA9876543210
KEY = tf.constant(SEED, tf.uint64), tf.constant(STREAM, tf.uint64)


def numbers(rate: float) -> Any:
    return tf.constant([law.threshold(rate), law.bits(rate) == 32, law.scale(rate), 0], tf.float64)


def test_the_operation_is_there() -> None:
    assert tensorflow_op.registered()


@pytest.mark.parametrize("dtype", tensorflow_op.DTYPES)
@pytest.mark.parametrize("size", [0, 1, 1023, 300_001])
@pytest.mark.parametrize("rate", [0.3, 0.001, 1.0])
def test_the_operation_gives_what_tensorflow_s_own_give(dtype: str, size: int, rate: float) -> None:
    x = tf.cast(np.random.default_rng(size).random(size) + 0.5, dtype)
    one = tensorflow_op.masked(x, *KEY, numbers(rate))
    two = on_tensorflow._by_operations(x, KEY, numbers(rate))
    assert one.dtype == x.dtype
    np.testing.assert_array_equal(tf.cast(one, tf.float64), tf.cast(two, tf.float64))
    np.testing.assert_array_equal(tf.cast(one, tf.float64) != 0, law.keep(MaskKey(SEED, STREAM), rate, size))


def test_double_precision_has_the_law_s_own_factor() -> None:
    x = np.random.default_rng(0).random((3, 50))
    result = sk.Dropout(0.3, seed=4, dtype="float64")(x, training=True).numpy()
    kept = law.keep(MaskKey(4), 0.3, 150).reshape(3, 50)
    np.testing.assert_array_equal(result, np.where(kept, x * law.scale(0.3), 0))


def test_shapes_are_known_in_a_graph() -> None:
    layer = sk.Dropout(0.5, seed=1)
    shapes = []

    @tf.function(input_signature=[tf.TensorSpec((None, 7, 3))])
    def run(x: Any) -> Any:
        shapes.append((result := layer(x, training=True)).shape.as_list())
        return result

    assert run(tf.ones((2, 7, 3))).shape == (2, 7, 3)
    assert run(tf.ones((5, 7, 3))).shape == (5, 7, 3)
    assert shapes == [[None, 7, 3]]
    anything = tf.function(lambda x: layer(x, training=True), input_signature=[tf.TensorSpec(None)])
    for shape in ((), (4,), (1, 2, 3, 4, 5, 6)):
        assert anything(tf.ones(shape)).shape == shape


def test_derivatives_in_a_graph_and_outside() -> None:
    x = tf.constant(np.random.default_rng(0).normal(size=(40, 30)), tf.float32)

    def twice(x: Any, layer: Any) -> Any:
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = tf.reduce_sum(layer(x, training=True) ** 3)
            first = inner.gradient(y, x)
        return first, outer.gradient(first, x)

    factor = np.where(law.keep(MaskKey(2), 0.4, 1200), law.scale(0.4), 0).reshape(40, 30)
    for run in (twice, tf.function(twice)):
        first, second = run(x, sk.Dropout(0.4, seed=2))
        np.testing.assert_allclose(first, 3 * x**2 * factor**3, rtol=1e-5)
        np.testing.assert_allclose(second, 6 * x * factor**3, rtol=1e-5)


def test_many_threads_at_once() -> None:
    run = tf.function(lambda x: tensorflow_op.masked(x, *KEY, numbers(0.5)))
    x = tf.ones((300, 1000))
    expected = run(x).numpy()
    with ThreadPoolExecutor(8) as pool:
        for result in pool.map(lambda _: run(x).numpy(), range(64)):
            np.testing.assert_array_equal(result, expected)


def test_inside_a_loop() -> None:
    layer = sk.Dropout(0.5, seed=1)
    looped = tf.function(lambda x: tf.map_fn(lambda row: layer(row, training=True), x))
    rows = looped(tf.ones((4, 64))).numpy()
    for call, row in enumerate(rows):
        np.testing.assert_array_equal(row != 0, law.keep(MaskKey(1 | call << 32), 0.5, 64))
