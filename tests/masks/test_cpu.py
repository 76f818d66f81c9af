"""The compiled kernels against the law: types, layouts, rows, threads, forks, caches."""

import multiprocessing
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some

import sukima
from sukima.masks import cpu, law, portable, team
from sukima.masks.jobs import Shift
from sukima.masks.key import MaskKey
from sukima.torch import kernels

KEY = MaskKey(2**63 + 5, 2**64 - 1)
DTYPES = [torch.float32, torch.float64, torch.bfloat16, torch.float16]


def reference(
    x: torch.Tensor, key: MaskKey, rate: float, factor: float | None = None, shift: Shift | None = None
) -> torch.Tensor:
    kept = torch.from_numpy(law.keep(key, rate, x.numel())).view(x.shape)
    wide = x if x.dtype == torch.float64 else x.float()
    value = wide * torch.tensor(law.scale(rate) if factor is None else factor, dtype=wide.dtype)
    low = torch.zeros((), dtype=wide.dtype)
    if shift is not None:
        high, low = torch.tensor(shift, dtype=wide.dtype)
        value = value + high
    return torch.where(kept, value.to(x.dtype), low.to(x.dtype))


def same(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Equal, NaN like NaN, and signs of zero too."""
    nan = a.isnan()
    return (
        torch.equal(nan, b.isnan())
        and torch.equal(a[~nan], b[~nan])
        and torch.equal(a[~nan].signbit(), b[~nan].signbit())
    )


layouts = some.sampled_from(["plain", "last", "turned", "every other", "strided", "offset"])


def laid_out(shape: list[int], dtype: torch.dtype, layout: str) -> torch.Tensor:
    x = torch.randn(shape).to(dtype)
    if x.numel() > 3:
        x.view(-1)[:3] = torch.tensor([float("nan"), float("inf"), -0.0]).to(dtype)
    if layout == "last" and x.dim() == 4:
        return x.contiguous(memory_format=torch.channels_last)
    if layout == "turned" and x.dim() > 1:
        return x.transpose(0, -1)
    if layout == "every other" and x.dim() > 1:
        return x[:, ::2]
    if layout == "strided":
        return torch.stack([x, x], -1)[..., 0]
    if layout == "offset" and x.dim() > 0 and x.shape[0] > 1:
        return x[1:]
    return x


@settings(max_examples=80, deadline=None)
@given(
    some.lists(some.integers(0, 40), max_size=5),
    some.sampled_from(DTYPES),
    layouts,
    some.one_of(some.sampled_from([0.0, 0.5, 1.0, 1 / 256, 1 / 257]), some.floats(0, 1)),
    some.integers(0, 2**64 - 1),
    some.booleans(),
    some.sampled_from([None, (0.7, -1.3), (3e-6, 2.5)]),
)
def test_any_tensor(
    shape: list[int], dtype: torch.dtype, layout: str, rate: float, seed: int, inplace: bool, shift: Shift | None
) -> None:
    while np.prod(shape, dtype=np.int64) > 200_000:
        shape.pop()
    x, key = laid_out(shape, dtype, layout), MaskKey(seed, seed >> 7)
    expected = reference(x, key, rate, shift=shift)
    out = x.clone() if inplace else None
    got = kernels.masked(x if out is None else out, out, key, rate, shift=shift)
    assert same(got, expected)
    assert got.dtype == x.dtype


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("factor", [1.0, 2.0, 10 / 9, 0.3, 1e-3, 3e4])
def test_every_16_bit_number_is_rounded_to_nearest_even(dtype: torch.dtype, factor: float) -> None:
    x = torch.arange(65536, dtype=torch.int32).to(torch.int16).view(dtype)
    expected = (x.float() * torch.tensor(factor)).to(dtype)
    assert same(kernels.masked(x, None, KEY, 0.0, factor), expected)
    strided = torch.stack([x, x], -1)[..., 0]
    assert same(kernels.masked(strided, None, KEY, 0.0, factor), expected)
    moved = (x.float() * torch.tensor(factor) + 0.37).to(dtype)
    assert same(kernels.masked(x, None, KEY, 0.0, factor, shift=(0.37, 0.0)), moved)
    assert same(kernels.masked(strided, None, KEY, 0.0, factor, shift=(0.37, 0.0)), moved)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_vector_of_keys_and_rates(axis: int, dtype: torch.dtype) -> None:
    x = torch.randn(6, 50, 33).to(dtype)
    keys = [MaskKey(i, 3) for i in range(x.shape[axis])]
    rates = [i / x.shape[axis] for i in range(x.shape[axis])]
    expected = [reference(part, k, r) for part, k, r in zip(x.unbind(axis), keys, rates, strict=True)]
    assert same(kernels.masked_rows(x, None, axis, keys, rates), torch.stack(expected, axis))


def test_candidates_inside_the_channels_of_a_grouped_convolution() -> None:
    x = torch.randn(3, 4 * 5, 6, 7)
    for layout in (x, x.contiguous(memory_format=torch.channels_last)):
        keys = [MaskKey(9, i) for i in range(4)]
        ours = kernels.masked_rows(layout.unflatten(1, (4, 5)), None, 1, keys, [0.5] * 4).flatten(1, 2)
        alone = [reference(x[:, 5 * i : 5 * i + 5], keys[i], 0.5) for i in range(4)]
        assert same(ours, torch.cat(alone, 1))


# Whole masks, packed eight to a byte: what a fifth implementation must give, down to the last element.
KNOWN = [
    (MaskKey(0), 0.5, 37, 0, "bfc680c4f0"),
    (MaskKey(42, 7), 0.1, 61, 0, "dffffffffdbfbcf8"),
    (MaskKey(2**40 + 1, 2**33 + 5), 0.25, 45, 2**35 + 3, "5dfbb7ddc7b8"),
    (MaskKey(2**64 - 1, 2**64 - 1), 0.9, 77, 2**33 * 8 - 30, "00003000002302982000"),
    (MaskKey(7), 1 / 300, 131, 2**34 - 60, "fff7ffffffffffffffffffffffffffffe0"),
]


@pytest.mark.parametrize(("key", "rate", "size", "offset", "packed"), KNOWN)
def test_known_masks(key: MaskKey, rate: float, size: int, offset: int, packed: str) -> None:
    def arange(count: int) -> np.ndarray:
        return np.arange(count, dtype=np.int32)

    with np.errstate(over="ignore"):
        small = portable.keep(key, rate, size, offset, xp=np, arange=arange)
    for kept in (law.keep(key, rate, size, offset), cpu.keep(key, rate, size, offset), small):
        assert np.packbits(kept).tobytes().hex() == packed


@pytest.mark.parametrize("rate", [0.0, 1 / 1000, 0.3, 1.0])
def test_portable_in_torch(rate: float) -> None:
    kept = portable.keep(KEY, rate, 999, 2**35 - 77, xp=torch, arange=lambda n: torch.arange(n, dtype=torch.int32))
    np.testing.assert_array_equal(kept, law.keep(KEY, rate, 999, 2**35 - 77))


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_change_nothing(threads: int) -> None:
    before = torch.get_num_threads()
    x = torch.randn(300_001)
    try:
        torch.set_num_threads(threads)
        assert same(kernels.masked(x, None, KEY, 0.5), reference(x, KEY, 0.5))
    finally:
        torch.set_num_threads(before)


def test_without_openmp_a_pool_of_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(team, "team", lambda: 0)
    x = torch.randn(300_001)
    expected = reference(x, KEY, 0.5)
    results: list[bool] = []

    def run() -> None:
        results.extend(same(kernels.masked(x, None, KEY, 0.5), expected) for _ in range(10))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 30


def child(queue: "multiprocessing.Queue[bool]") -> None:
    # No large operation of torch's own: those hang in a forked child.
    got = kernels.masked(torch.from_numpy(np.ones(300_001, np.float32)), None, KEY, 0.5).numpy()
    queue.put(bool(np.array_equal(got, np.where(law.keep(KEY, 0.5, got.size), 2, 0))))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_forked_child() -> None:
    kernels.masked(torch.ones(300_001), None, KEY, 0.5)  # the parent's threads are awake
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=child, args=(queue,))
    process.start()
    try:
        assert queue.get(timeout=100)
    finally:
        process.kill()
        process.join()


def test_spawned_child() -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        kept = pool.apply_async(cpu.keep, (KEY, 0.5, 1001)).get(timeout=100)
    np.testing.assert_array_equal(kept, law.keep(KEY, 0.5, 1001))


def test_cache_where_the_package_cannot_be_written(tmp_path: Path) -> None:
    source = Path(sukima.__file__).parents[1]
    code = (
        "import torch, sukima.torch as st; from sukima.masks.cache import directory; st.dropout(torch.ones(100));"
        "files = sorted(directory().rglob('*.nb*'));"
        "print(directory(), *(f'{f.name}:{f.stat().st_mtime_ns}' for f in files))"
    )
    environment = {**os.environ, "SUKIMA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(source)}
    command = [sys.executable, "-c", code]
    first, second = (subprocess.check_output(command, env=environment, text=True).split() for _ in range(2))
    assert first[0].startswith(str(tmp_path))
    assert len(first) > 2
    assert first == second  # the second process found everything and wrote nothing
    assert not list((source / "sukima" / "masks" / "__pycache__").glob("*.nb*"))
