"""The process's generators: seeded for a trial, and left as they were."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator

import numpy as np
import torch

__all__ = ["GeneratorState", "generators_restored", "seed_everything"]


def seed_everything(seed: int) -> None:
    """Torch for the model; NumPy and Python for what a user's factory or data set may draw."""
    torch.manual_seed(seed)
    np.random.seed(seed & 0xFFFFFFFF)
    random.seed(seed)


class GeneratorState:
    """Where the process's generators stand, to go on from there later."""

    def __init__(self) -> None:
        self._torch, self._numpy, self._python = torch.get_rng_state(), np.random.get_state(), random.getstate()
        self._cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []

    def restore(self) -> None:
        """Put them there."""
        torch.set_rng_state(self._torch)
        np.random.set_state(self._numpy)
        random.setstate(self._python)
        if self._cuda:
            torch.cuda.set_rng_state_all(self._cuda)


@contextlib.contextmanager
def generators_restored() -> Iterator[None]:
    """Leave the process's generators as they were."""
    state = GeneratorState()
    try:
        yield
    finally:
        state.restore()
