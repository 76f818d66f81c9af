"""Normal noise of the kernels against double precision, and against the normal distribution."""

import numpy as np
import pytest
import torch
from scipy import stats

from sukima.masks import cpu, law
from sukima.masks.key import MaskKey
from sukima.torch.noise import normal

KEY = MaskKey(2**60 + 3, 2**63 + 4)
SIZE = 300_001


def exact(size: int) -> np.ndarray:
    """Box and Muller's formula in double precision, of the angles as float32 holds them."""
    words = law.words(KEY, -(-size // 4)).reshape(-1)
    uniform = ((words >> 9) + 0.5) * 2.0**-23
    angle = (uniform[1::2].astype(np.float32) * np.float32(2 * np.pi)).astype(np.float64)
    radius = np.sqrt(-2 * np.log(uniform[::2]))
    return np.stack((np.cos(angle) * radius, np.sin(angle) * radius), -1).ravel()[:size]


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_within_four_units_in_the_last_place(threads: int) -> None:
    found = np.empty(SIZE, np.float32)
    cpu.normal(found.ctypes.data, SIZE, KEY, threads)
    want = exact(SIZE)
    assert (np.abs(found - want) <= 4 * np.spacing(np.abs(want).astype(np.float32))).all()
    assert stats.kstest(found, "norm").pvalue > 1e-3


@pytest.mark.parametrize("size", [0, 1, 2, 3, 2047, 2048, 2049, 16385])
def test_every_size_begins_alike(size: int) -> None:
    found = np.full(size + 1, 77, np.float32)
    cpu.normal(found.ctypes.data, size, KEY, 1)
    assert (found[:size] == normal((SIZE,), KEY, torch.ones(1)).numpy()[:size]).all()
    assert found[size] == 77


def test_double_precision() -> None:
    found = normal((1001,), KEY, torch.ones(1, dtype=torch.float64))
    np.testing.assert_allclose(found, exact(1001), atol=1e-5)
    assert found.dtype is torch.float64
