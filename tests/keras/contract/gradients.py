"""The gradient of a function of one tensor, by the backend in use."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np


def gradient(function: Callable[[Any], Any], x: Any) -> Any:
    """Of ``function``, which gives a scalar, at the array ``x``."""
    if keras.backend.backend() == "torch":
        given = keras.ops.convert_to_tensor(x).detach().clone().requires_grad_()
        function(given).backward()
        return given.grad.numpy()
    if keras.backend.backend() == "jax":
        import jax

        return np.asarray(jax.grad(function)(keras.ops.convert_to_tensor(x)))
    import tensorflow as tf

    given = tf.convert_to_tensor(x)
    with tf.GradientTape() as tape:
        tape.watch(given)
        value = function(given)
    return tape.gradient(value, given).numpy()
