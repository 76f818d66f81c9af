"""The process's generators: seeded for a trial, and left as they were."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator

import numpy as np
import torch

__all__ = ["generators_restored", "seed_everything"]


def seed_everything(seed: int) -> None:
    """Torch for the model; NumPy and Python for what a user's factory or data set may draw."""
    torch.manual_seed(seed)
    np.random.seed(seed & 0xFFFFFFFF)
    random.seed(seed)


@contextlib.contextmanager
def generators_restored() -> Iterator[None]:
    """Leave the process's generators as they were."""
    numpy_state, python_state = np.random.get_state(), random.getstate()
    with torch.random.fork_rng():
        try:
            yield
        finally:
            np.random.set_state(numpy_state)
            random.setstate(python_state)
