"""Masks on TensorFlow tensors: its stateless Philox gives the law's words.

Large tensors on the CPU go through the compiled kernels instead, which take a fifth of the time; not where XLA
compiles, which knows no calls into Python.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.eager.polymorphic_function.polymorphic_function import Function

from sukima.keras.rate import Rate
from sukima.masks import cpu, team
from sukima.masks.key import FOLD_STR

__all__ = ["fold", "keep", "masked", "new_key", "uniform"]

_NUMBERS = {"float32", "float64", "bfloat16", "float16"}
_PHILOX = 1  # TensorFlow's number of the algorithm
_SMALL = 1 << 15  # elements below which a call into Python costs more than it saves
_SHARED = 1 << 18  # elements from which several threads work; TensorFlow's own want the cores too
_ALIGNED = 64  # bytes; TensorFlow copies results that are not


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
    put = _by_kernel if _has_kernels(x) else _by_operations

    @tf.custom_gradient
    def linear(x: Any) -> Any:
        # Its own derivative: nothing is kept, the mask is computed again.
        return put(x, key, rate), linear

    return linear(x)


def _has_kernels(x: Any) -> bool:
    """Whether a call into the compiled kernels is possible and worth while."""
    if _size(x) < _SMALL or tf.config.list_logical_devices("GPU"):
        return False
    return not _compiled_by_xla()


def _size(x: Any) -> int:
    """How many elements it has, as far as they are known."""
    return int(np.prod([_SMALL if n is None else n for n in x.shape])) if x.shape.rank is not None else _SMALL


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


def _by_kernel(x: Any, key: Key, rate: Rate) -> Any:
    dtype = x.dtype.name

    def run(x: Any, seed: Any, stream: Any) -> Any:
        space = np.empty(x.nbytes + _ALIGNED, np.uint8)
        begin = -_address(space) % _ALIGNED
        y = space[begin : begin + x.nbytes].view(x.dtype).reshape(x.shape)
        threads = team.cores() if x.size >= _SHARED else 1
        # The rate is asked for at every call, as a variable would be.
        cpu.apply_line(
            dtype, _address(x), _address(y), x.size, int(seed.view(np.int64)), int(stream.view(np.int64)),
            rate.decided, rate.factor, threads,
        )  # fmt: skip
        return y

    y = tf.numpy_function(run, [x, *key], x.dtype, stateful=False)
    y.set_shape(x.shape)
    return y


def _address(array: Any) -> int:
    address: int = array.__array_interface__["data"][0]
    return address


def _by_operations(x: Any, key: Key, rate: Rate) -> Any:
    numbers = tf.convert_to_tensor(rate.state.value)
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
