"""Learning curves with known shapes, for the tests of diagnosis."""

import contextlib
from collections.abc import Callable

import numpy as np
import pytest

from sukima.records.history import History

# Triton and TensorFlow both bring LLVM; where TensorFlow is loaded first (as TensorBoard does), loading Triton later
# ends the process.
with contextlib.suppress(ImportError):
    import triton  # noqa: F401


def make_history(
    epochs: int = 60,
    *,
    rise: float = 0.0,
    turn: int = 20,
    noise: float = 0.005,
    gap: float = 0.1,
    floor: float = 0.1,
    speed: float = 6.0,
    seed: int = 0,
) -> History:
    """Losses that fall exponentially; validation keeps ``gap`` above and rises by ``rise`` an epoch after ``turn``."""
    rng = np.random.default_rng(seed)
    epoch = np.arange(1, epochs + 1)
    fall = 2.2 * np.exp(-epoch / speed)
    train = fall + floor + rng.normal(0, noise / 2, epochs)
    validation = fall + floor + gap + rise * np.maximum(0, epoch - turn) + rng.normal(0, noise, epochs)
    return History(train_loss=train.tolist(), validation_loss=validation.tolist())


@pytest.fixture
def history() -> Callable[..., History]:
    return make_history
