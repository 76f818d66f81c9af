"""The process's generators, from which Keras draws the seeds of layers."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import keras
import numpy as np
from keras.src.backend.common import global_state
from keras.src.random.seed_generator import GLOBAL_SEED_GENERATOR

from sukima.base.imports import require

__all__ = ["generators_restored", "seed_everything"]


def seed_everything(seed: int) -> None:
    """What ``keras.utils.set_random_seed`` does; that loads TensorFlow, whatever the backend is."""
    random.seed(seed)
    np.random.seed(seed & 0xFFFFFFFF)
    global_state.set_global_attribute(GLOBAL_SEED_GENERATOR, None)  # a new one takes its seed from Python's
    backend = keras.backend.backend()
    if backend == "torch":
        require("torch", "torch").manual_seed(seed)
    elif backend == "tensorflow":
        require("tensorflow", "keras").random.set_seed(seed & 0xFFFFFFFF)


@contextmanager
def generators_restored() -> Iterator[None]:
    """Leave the generators as they were; TensorFlow's cannot be asked where it stands."""
    python, numpy = random.getstate(), np.random.get_state()
    torch = require("torch", "torch") if keras.backend.backend() == "torch" else None
    own = None if torch is None else torch.get_rng_state()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        if torch is not None:
            torch.set_rng_state(own)
