"""`sukima.jax.dropout`: the law's bits, under every transform of JAX."""

import doctest
import hashlib
import sys
from functools import partial
from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax", reason="JAX is not installed")

import jax.numpy as jnp  # noqa: E402
from jax.sharding import Mesh, NamedSharding, PartitionSpec  # noqa: E402

from sukima.base.errors import InputError  # noqa: E402
from sukima.jax import dropout  # noqa: E402
from sukima.jax.ffi import registered  # noqa: E402
from sukima.jax.kernels import _table, fold, rate_of  # noqa: E402
from sukima.jax.operator import in_integers  # noqa: E402
from sukima.masks import law  # noqa: E402
from sukima.masks.key import FOLD_INT, FOLD_STR, MaskKey  # noqa: E402

KEY = MaskKey(7 | 9 << 32, 123456789012345678)
SIZES = [1, 1023, 100_003]
RATES = [0.3, 0.001, 1.0]
WORDS = np.array([KEY.seed, KEY.stream], np.uint64).view(np.uint32)


def expected(x: Any, rate: float, key: MaskKey = KEY) -> Any:
    kept = law.keep(key, rate, x.size).reshape(x.shape)
    return np.where(kept, np.asarray(x) * x.dtype.type(law.scale(rate)), x.dtype.type(0))


def test_the_kernels_are_registered() -> None:
    assert registered()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("rate", RATES)
def test_bits_of_the_law(size: int, rate: float) -> None:
    x = np.random.default_rng(size).random(size, np.float32) + 1
    x[0] = np.nan if not law.keep(KEY, rate, 1)[0] else x[0]
    assert np.array_equal(dropout(KEY, x, rate), expected(x, rate))
    traced = jax.jit(partial(dropout, KEY))(x, jnp.float32(rate))
    np.testing.assert_array_equal(traced == 0, expected(x, rate) == 0)
    np.testing.assert_allclose(traced, expected(x, rate), rtol=2e-7)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("known", [True, False])
def test_integer_operations_give_the_same(size: int, rate: float, known: bool) -> None:
    x = jnp.arange(1, size + 1, dtype=jnp.float32)
    found = rate_of(rate)
    entry = _table(jnp.asarray(WORDS), found, found[2], x.dtype, None)[0]
    result = in_integers(entry, x, law.bits(rate) if known else None, True)
    np.testing.assert_array_equal(result, expected(np.asarray(x), rate))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_short_types(dtype: str) -> None:
    x = jnp.full(1000, 2.0, dtype)
    kept = law.keep(KEY, 0.25, 1000)
    result = dropout(KEY, x, 0.25)
    assert result.dtype == dtype
    np.testing.assert_array_equal(result.astype(jnp.float32) != 0, kept)
    np.testing.assert_allclose(result.astype(jnp.float32)[kept], 2 * law.scale(0.25), rtol=1e-2)


def test_double_precision() -> None:
    with jax.enable_x64(True):
        x = np.random.default_rng(0).random(999)
        np.testing.assert_array_equal(dropout(KEY, x, 0.3), expected(x, 0.3))


def test_jax_keys_are_seeds() -> None:
    x = np.ones(100, np.float32)
    raw = np.asarray(jax.random.key_data(jax.random.key(5)))
    for key in (jax.random.key(5), jnp.asarray(raw)):
        np.testing.assert_array_equal(dropout(key, x, 0.5), expected(x, 0.5, MaskKey(int(raw[0]) | int(raw[1]) << 32)))
    assert not np.array_equal(dropout(jax.random.key(5), x, 0.5), dropout(jax.random.key(6), x, 0.5))


def test_derivatives_are_the_mask() -> None:
    x = jnp.arange(1.0, 1025.0)
    factors = expected(np.ones(1024, np.float32), 0.3)
    grad = jax.jit(jax.grad(lambda x: (dropout(KEY, x, 0.3) ** 2).sum()))(x)
    np.testing.assert_allclose(grad, 2 * x * factors**2, rtol=1e-6)
    _, tangent = jax.jvp(lambda x: dropout(KEY, x, 0.3), (x,), (x,))
    np.testing.assert_array_equal(tangent, x * factors)
    hessian = jax.hessian(lambda x: (dropout(KEY, x, 0.3) ** 2).sum())(x[:5])
    np.testing.assert_allclose(hessian, np.diag(2 * factors[:5] ** 2), rtol=1e-6)


def test_each_row_of_a_batch_has_the_mask_that_it_has_alone() -> None:
    keys = jax.random.split(jax.random.key(0), 3)
    x = jnp.ones((3, 33))
    together = jax.vmap(lambda key, x: dropout(key, x, 0.4))(keys, x)
    np.testing.assert_array_equal(together, jnp.stack([dropout(key, x[0], 0.4) for key in keys]))
    same = jax.vmap(lambda x: dropout(KEY, x, 0.4), in_axes=1, out_axes=1)(x.T)
    np.testing.assert_array_equal(same, jnp.stack([dropout(KEY, x[0], 0.4)] * 3).T)
    per_row = jax.vmap(jax.grad(lambda x, key: (dropout(key, x, 0.4) ** 2).sum()))(x, keys)
    np.testing.assert_array_equal(per_row != 0, together != 0)
    rates = jax.vmap(lambda rate: dropout(KEY, x[0], rate))(jnp.array([0.0, 0.002, 1.0]))
    assert (rates[0] == 1).all()
    assert (rates[2] == 0).all()


BLOCKS = [
    (slice(2, 4), slice(0, 5), slice(0, 8)),
    (slice(1, 3), slice(1, 4), slice(2, 7)),
    (slice(0, 6), slice(0, 5), slice(3, 6)),
]


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("traced", [False, True])
def test_blocks_of_a_mask(block: tuple[slice, ...], traced: bool) -> None:
    x = jnp.asarray(np.random.default_rng(0).random((6, 5, 8), np.float32))
    offset = [jnp.int32(s.start) if traced else s.start for s in block]
    part = dropout(KEY, x[block], 0.4, shape=x.shape, offset=offset)
    np.testing.assert_array_equal(part, dropout(KEY, x, 0.4)[block])


@pytest.mark.parametrize("kind", ["float32", "integers"])
def test_blocks_beyond_32_bits(kind: str) -> None:
    shape, offset = (70_000, 80_000), (65_537, 79_990)  # the last of these elements has an index above 2**32
    block = jnp.ones((3, 10))
    first = offset[0] * shape[1] + offset[1]
    kept = np.stack([law.keep(KEY, 0.5, 10, first + row * shape[1]) for row in range(3)])
    if kind == "float32":
        result = dropout(KEY, block, 0.5, shape=shape, offset=offset) > 0
    else:
        found = rate_of(0.5)
        starts = np.array([first + row * shape[1] for row in range(3)], np.uint64).view(np.uint32).reshape(-1, 2)
        table = _table(jnp.asarray(WORDS), found, 1.0, jnp.float32, jnp.asarray(starts))
        result = jax.vmap(lambda entry, row: in_integers(entry, row, 16, False))(table, block) > 0
    np.testing.assert_array_equal(result, kept)


def test_shards_of_a_mesh() -> None:
    if len(jax.devices()) < 2:
        pytest.skip("JAX started before a second CPU device was asked for")
    mesh = Mesh(np.array(jax.devices()[:2]), ("batch",))
    rows = PartitionSpec("batch")
    x = jax.device_put(jnp.ones((8, 16)), NamedSharding(mesh, rows))
    whole = dropout(KEY, np.ones((8, 16), np.float32), 0.5)

    def on_block(x: Any) -> Any:
        return dropout(KEY, x, 0.5, shape=(8, 16), offset=(jax.lax.axis_index("batch") * len(x), 0))

    sharded = jax.shard_map(on_block, mesh=mesh, in_specs=rows, out_specs=rows)
    np.testing.assert_array_equal(jax.jit(sharded)(x), whole)
    np.testing.assert_array_equal(jax.jit(lambda x: dropout(KEY, x, 0.5))(x), whole)
    grad = jax.jit(jax.grad(lambda x: sharded(x).sum()))(x)
    np.testing.assert_array_equal(grad, whole)


def test_folding() -> None:
    number = int.from_bytes(hashlib.blake2b(b"channel", digest_size=8).digest(), "little")
    for value, which, domain in (("channel", number, FOLD_STR), (2**64 - 1, 2**64 - 1, FOLD_INT)):
        folded = KEY.fold_in(value)
        expected = np.array([folded.seed, folded.stream], np.uint64).view(np.uint32)
        np.testing.assert_array_equal(fold(jnp.asarray(WORDS), which, domain), expected)


def test_nothing_to_drop() -> None:
    x = jnp.ones((3, 2))
    assert dropout(KEY, x, 0) is x
    assert dropout(KEY, jnp.ones((0, 4)), 0.5).shape == (0, 4)
    assert dropout(KEY, jnp.float32(1), 0.5).shape == ()


@pytest.mark.parametrize("rate", [-0.1, 1.5, float("nan"), "half", True])
def test_wrong_rates(rate: Any) -> None:
    with pytest.raises(InputError, match=r"rate must be in \[0, 1\], got"):
        dropout(KEY, jnp.ones(3), rate)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((KEY, jnp.arange(3), 0.5), "x must be a floating-point array"),
        ((3, jnp.ones(3), 0.5), "key must be a JAX key or a MaskKey, got"),
        ((jnp.ones(2), jnp.ones(3), 0.5), "key must be one JAX key or 2 or 4 words"),
        ((KEY, jnp.ones(3), jnp.ones(3)), "rate must be a number or an array of no dimensions"),
    ],
)
def test_wrong_arguments(arguments: Any, text: str) -> None:
    with pytest.raises(InputError, match=text):
        dropout(*arguments)


def test_wrong_blocks() -> None:
    with pytest.raises(InputError, match="shape and offset must both be given"):
        dropout(KEY, jnp.ones((2, 3)), 0.5, shape=(4, 3))
    with pytest.raises(InputError, match="must lie within"):
        dropout(KEY, jnp.ones((2, 3)), 0.5, shape=(1, 3), offset=(0, 0))


def test_examples_run() -> None:
    assert doctest.testmod(sys.modules[dropout.__module__]).failed == 0
