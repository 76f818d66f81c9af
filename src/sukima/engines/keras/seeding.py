"""The process's generators, from which Keras draws the seeds of layers."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

__all__ = ["generators_restored"]


@contextmanager
def generators_restored() -> Iterator[None]:
    """Leave Python's and NumPy's generators as they were."""
    python, numpy = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
