"""Masks on the tensors of the backend that Keras runs on: the same functions in each.

``new_key(state)`` makes a key from what a ``SeedGenerator`` gives, ``fold(key, kind)`` derives one, ``masked`` puts a
mask on a tensor, ``keep`` decides for a shape, ``uniform`` draws noise.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import keras

from sukima.base.checks import check_choice

__all__ = ["masks"]

BACKENDS = ("jax", "tensorflow", "torch")

# One process has one backend.
masks: Any = import_module(f"{__name__}.on_{check_choice('KERAS_BACKEND', keras.backend.backend(), BACKENDS)}")
