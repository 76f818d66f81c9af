"""A mark for tests whose code is the same on every backend."""

import keras
import pytest

once = pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="the same code on every backend; run where it is fastest"
)
