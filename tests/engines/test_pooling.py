"""Pooling in one pass gives what torch's layers give, to the bit."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from sukima.engines.stacked.pooling import Pooled, is_pooled

FEW = torch.tensor([-1.0, -0.0, 0.0, 0.5, 2.0])
"""Drawn from these, windows have several cells with the largest value."""


def images(seed: int, shape: tuple[int, ...], dtype: torch.dtype, few: bool) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    if few:
        return FEW[torch.randint(len(FEW), shape, generator=generator)].to(dtype)
    return torch.randn(shape, generator=generator, dtype=dtype)


@settings(deadline=None)  # kernels are compiled on the way
@given(
    seed=st.integers(0, 99),
    sizes=st.tuples(st.integers(1, 3), st.integers(1, 3), st.sampled_from([1, 3, 16, 33])),
    window=st.sampled_from([(2, 2), (3, 2)]),
    windows=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    rest=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    rectified=st.booleans(),
    few=st.booleans(),
    channels_last=st.booleans(),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
def test_values_and_gradients_are_torchs(
    seed: int,
    sizes: tuple[int, int, int],
    window: tuple[int, int],
    windows: tuple[int, int],
    rest: tuple[int, int],
    rectified: bool,
    few: bool,
    channels_last: bool,
    dtype: torch.dtype,
) -> None:
    members, batch, channels = sizes
    high, wide = (w * n + r % w for w, n, r in zip(window, windows, rest, strict=True))
    x = images(seed, (members * batch, channels, high, wide), dtype, few)
    if channels_last:
        x = x.contiguous(memory_format=torch.channels_last)
    g = images(seed + 1, (members * batch, channels, *windows), dtype, few=False)

    layer = nn.MaxPool2d(window)
    theirs = x.clone().requires_grad_()
    y = layer(torch.relu(theirs) if rectified else theirs)
    y.backward(g)

    node = Pooled(layer, rectified=rectified)
    for _ in range(2):  # buffers are used again
        ours = node.forward(x.unflatten(0, (members, batch)))
        of_x = node.backward(g.unflatten(0, (members, batch)).clone(), wanted=True)
        assert torch.equal(ours.flatten(0, 1), y)
        assert of_x is not None
        assert torch.equal(of_x.flatten(0, 1), theirs.grad)
        of_x.fill_(9.0)  # the next layer back may do what it likes with it


@pytest.mark.parametrize("rectified", [True, False])
def test_what_is_no_number_shows(rectified: bool) -> None:
    x = torch.randn(1, 1, 4, 4, 4)
    x[0, 0, 1, 2, 3] = torch.nan
    y = Pooled(nn.MaxPool2d(2), rectified=rectified).forward(x)
    assert torch.isnan(y[0, 0, 1, 1, 1])
    assert torch.isnan(y).sum() == 1


@pytest.mark.parametrize(
    ("layer", "known"),
    [
        (nn.MaxPool2d(2), True),
        (nn.MaxPool2d((3, 2), stride=(3, 2)), True),
        (nn.MaxPool2d(3, stride=2), False),
        (nn.MaxPool2d(2, padding=1), False),
        (nn.MaxPool2d(2, dilation=2), False),
        (nn.MaxPool2d(2, ceil_mode=True), False),
        (nn.MaxPool2d(2, return_indices=True), False),
        (nn.MaxPool2d(1), False),
        (nn.MaxPool2d(16), False),
        (nn.AvgPool2d(2), False),
    ],
)
def test_windows_must_not_overlap(layer: nn.Module, known: bool) -> None:
    assert is_pooled(layer, torch.zeros(1)) is known
    assert not is_pooled(layer, torch.zeros(1, dtype=torch.float16))
