"""Masks on TensorFlow tensors: its stateless Philox gives the law's words.

On the CPU the compiled kernels put masks on tensors, as an operation of their own (`tensorflow_op`), which takes a
fifth of the time; not where XLA compiles, which does not know it.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from functools import cache
from typing import Any

import tensorflow as tf
from tensorflow.python.eager.polymorphic_function.polymorphic_function import Function

from sukima.keras.backends import tensorflow_op
from sukima.keras.rate import Rate
from sukima.masks.key import FOLD_STR

__all__ = ["fold", "keep", "masked", "new_key", "uniform"]

_PHILOX = 1  # TensorFlow's number of the algorithm

Key = tuple[Any, Any]
"""Seed and stream."""


def new_key(state: Any) -> Key:
    """The key that a generator's state decides: its seed and its counter are the two halves of the key's seed."""
    return tf.bitcast(tf.cast(tf.convert_to_tensor(state), tf.uint32), tf.uint64), tf.constant(0, tf.uint64)


@cache
def _number(kind: str) -> int:
    return int.from_bytes(hashlib.blake2b(kind.encode(), digest_size=8).digest(), "little")


def _words(seed: Any, counter: Any, count: Any) -> Any:
    return tf.raw_ops.StatelessRandomUniformFullIntV2(
        shape=[count], key=tf.reshape(seed, [1]), counter=counter, alg=_PHILOX, dtype=tf.uint32
    )


def fold(key: Key, kind: str) -> Key:
    """The key for a kind of mask."""
    inner = _words(key[0], tf.stack([tf.constant(_number(kind), tf.uint64), key[1]]), 4)
    outer = _long(_words(tf.constant(FOLD_STR, tf.uint64), _long(inner), 4))
    return outer[0], outer[1]


def _long(words: Any) -> Any:
    return tf.bitcast(tf.reshape(words, [-1, 2]), tf.uint64)


def _from_start(key: Key, count: Any) -> Any:
    return _words(key[0], tf.stack([tf.constant(0, tf.uint64), key[1]]), count)


def masked(x: Any, key: Key, rate: Rate) -> Any:
    """``x`` under the mask of ``key``: kept elements times the rate's factor, the others +0."""
    numbers = tf.convert_to_tensor(rate.state.value)
    put = _by_kernel if _has_kernel(x) else _by_operations

    @tf.custom_gradient
    def linear(x: Any) -> Any:
        # Its own derivative: nothing is kept, the mask is computed again.
        return put(x, key, numbers), linear

    return linear(x)


def _has_kernel(x: Any) -> bool:
    """Whether the compiled kernel can be called."""
    on_cpu = x.dtype.name in tensorflow_op.DTYPES and not tf.config.list_logical_devices("GPU")
    return on_cpu and not _compiled_by_xla() and tensorflow_op.registered()


def _compiled_by_xla() -> bool:
    """Whether a function with ``jit_compile=True`` is being traced; TensorFlow tells no other way."""
    if tf.executing_eagerly():
        return False
    frame: Any = sys._getframe(1)
    while frame is not None:
        traced = frame.f_locals.get("self")
        if isinstance(traced, Function) and traced._jit_compile:
            return True
        frame = frame.f_back
    return False


def _by_kernel(x: Any, key: Key, numbers: Any) -> Any:
    return tensorflow_op.masked(x, *key, numbers)


def _by_operations(x: Any, key: Key, numbers: Any) -> Any:
    kept = tf.reshape(_kept(tf.size(x), key, numbers), tf.shape(x))
    wide = x.dtype if x.dtype == tf.float64 else tf.float32
    factors = tf.cast(kept, wide) * tf.cast(numbers[2], wide)
    return tf.cast(tf.math.multiply_no_nan(tf.cast(x, wide), factors), x.dtype)  # 0 for dropped NaN and Inf, too


def _kept(size: Any, key: Key, numbers: Any) -> Any:
    dropped = tf.cast(numbers[0], tf.uint32)

    def by_halves() -> Any:
        halves = tf.reshape(tf.bitcast(_from_start(key, (size + 7) // 8 * 4), tf.uint16), [-1])[:size]
        return tf.cast(halves, tf.int32) >= tf.cast(dropped, tf.int32)

    def by_words() -> Any:
        return _from_start(key, (size + 3) // 4 * 4)[:size] >= dropped

    return tf.cond(numbers[1] > 0, by_words, by_halves)


def keep(shape: Sequence[Any], key: Key, rate: Rate, like: Any) -> Any:
    """Which elements of ``shape`` are kept."""
    del like  # operations are placed by TensorFlow
    shape = tf.stack([tf.cast(n, tf.int32) for n in shape])
    return tf.reshape(_kept(tf.reduce_prod(shape), key, tf.convert_to_tensor(rate.state.value)), shape)


def uniform(shape: Sequence[Any], key: Key, like: Any) -> Any:
    """Noise between 0 and 1, both excluded, of float32."""
    del like
    shape = tf.stack([tf.cast(n, tf.int32) for n in shape])
    words = _from_start(key, (tf.reduce_prod(shape) + 3) // 4 * 4)[: tf.reduce_prod(shape)]
    short = tf.bitwise.right_shift(words, tf.constant(9, tf.uint32))
    return tf.reshape((tf.cast(short, tf.float32) + 0.5) * 2.0**-23, shape)
