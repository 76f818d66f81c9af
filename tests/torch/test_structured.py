"""Masks over a smaller shape, repeated over the input, wherever the elements lie in memory."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import sukima.torch as st
from sukima.masks import law
from sukima.masks.key import MaskKey
from sukima.torch.structured import masked_over, over_plain

KEY = MaskKey(7, 9)
DTYPES = (torch.float32, torch.float64, torch.bfloat16, torch.float16)


def expected(x: torch.Tensor, shape: tuple[int, ...], rate: float, shift: tuple[float, float] = (0, 0)) -> torch.Tensor:
    kept = torch.from_numpy(law.keep(KEY, rate, torch.Size(shape).numel())).view(shape)
    wide = x.double() if x.dtype is torch.float64 else x.float()
    scale = torch.tensor(law.scale(rate), dtype=wide.dtype)
    high, low = torch.tensor(shift, dtype=wide.dtype)
    return torch.where(kept, (wide * scale + high).to(x.dtype), low.to(x.dtype))


SHAPES = [
    ((32, 64, 9, 9), (32, 64, 1, 1)),
    ((3, 5, 7, 11), (3, 1, 7, 1)),
    ((3, 5, 7, 11), (1, 5, 1, 11)),
    ((3, 5, 7, 11), (3, 5, 7, 11)),
    ((3, 5, 7, 11), (1, 1, 1, 1)),
    ((64, 33, 50), (1, 33, 50)),
    ((2, 70_001), (2, 1)),
    ((300, 1, 301), (300, 1, 1)),
    ((4, 0, 3), (4, 1, 3)),
    ((), ()),
]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("rate", [0.3, 1 / 300, 1.0])
@pytest.mark.parametrize(("shape", "mask"), SHAPES)
def test_is_the_law(shape: tuple[int, ...], mask: tuple[int, ...], rate: float, dtype: torch.dtype) -> None:
    x = torch.randn(shape, generator=torch.Generator().manual_seed(1)).to(dtype)
    want = expected(x, mask, rate)
    shifted = expected(x, mask, rate, (0.7, -1.3))
    layouts = [x, x.transpose(0, -1).contiguous().transpose(0, -1)] if x.dim() else [x]
    if x.dim() == 4:
        layouts += [x.contiguous(memory_format=torch.channels_last), torch.stack((x, x), -1)[..., 0]]
    for layout in layouts:
        assert torch.equal(masked_over(layout, mask, KEY, rate), want)
        copy = layout.clone()
        assert masked_over(copy, mask, KEY, rate, inplace=True) is copy
        assert torch.equal(copy, want)
        assert torch.equal(over_plain(layout, None, mask, KEY, rate, None, (0.7, -1.3)), shifted)


def test_dropped_is_plus_zero_whatever_was_there() -> None:
    x = torch.full((64, 8, 5, 5), float("nan"))
    x[:, ::2] = -torch.inf
    out = masked_over(x, (64, 8, 1, 1), KEY, 0.5)
    dropped = ~torch.from_numpy(law.keep(KEY, 0.5, 512)).view(64, 8)
    assert (out[dropped] == 0).all()
    assert not torch.signbit(out[dropped]).any()
    assert not out[~dropped].isfinite().any()


def test_many_dimensions() -> None:
    x = torch.randn((2,) * 12)
    shape = (2, 1) * 6
    assert torch.equal(masked_over(x, shape, KEY, 0.5), expected(x, shape, 0.5))


SCRIPT = """
import torch, sukima.torch as st
from sukima.masks import law
from sukima.masks.key import MaskKey
key, x = MaskKey(3, 4), torch.ones(3, 64, 56, 56)
want = torch.from_numpy(law.keep(key, 0.5, x.numel())).view(x.shape)
turned = x.contiguous(memory_format=torch.channels_last)
channels = torch.from_numpy(law.keep(key.fold_in("channel"), 0.5, 192)).view(3, 64, 1, 1)
assert torch.equal(st.dropout(x, 0.5, key=key) != 0, want)
assert torch.equal(st.dropout(turned, 0.5, key=key) != 0, want)
assert torch.equal(st.dropout2d(turned, 0.5, key=key) != 0, channels.expand(x.shape))
print("fine")
"""


def test_kernels_keep_the_memory_that_they_work_in() -> None:
    """An allocator that gives freed blocks back to the system at once makes a late use of one a crash."""
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "256", "PYTHONPATH": str(Path(st.__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == "fine\n", done.stderr[-2000:]
