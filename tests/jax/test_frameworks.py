"""`sukima.jax.dropout` inside Flax and Equinox modules, as their users write them."""

from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax", reason="JAX is not installed")

import jax.numpy as jnp  # noqa: E402

from sukima.jax import dropout  # noqa: E402

X = jnp.asarray(np.random.default_rng(0).normal(size=(16, 12)), jnp.float32)


def test_flax() -> None:
    nn = pytest.importorskip("flax.linen", reason="Flax is not installed")

    class Net(nn.Module):  # type: ignore[misc, name-defined]
        @nn.compact
        def __call__(self, x: Any, train: bool) -> Any:
            x = nn.relu(nn.Dense(32)(x))
            if train:
                x = dropout(self.make_rng("dropout"), x, 0.5)
            return nn.Dense(1)(x)

    net, key = Net(), jax.random.key(3)
    weights = net.init({"params": jax.random.key(0), "dropout": key}, X, True)
    run = jax.jit(lambda weights, key: net.apply(weights, X, True, rngs={"dropout": key}))
    quiet = net.apply(weights, X, False)
    one, again, other = run(weights, key), run(weights, key), run(weights, jax.random.key(4))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)
    assert not np.array_equal(one, quiet)
    mean = np.mean([run(weights, jax.random.key(seed)) for seed in range(400)], axis=0)
    np.testing.assert_allclose(mean, quiet, atol=0.5 * float(np.abs(quiet).max()))

    # The gradient of the first layer goes through the mask of the same key, computed again.
    def by_hand(weights: Any) -> Any:
        inner = weights["params"]
        hidden = jax.nn.relu(X @ inner["Dense_0"]["kernel"] + inner["Dense_0"]["bias"])
        keys = []

        class Ear(nn.Module):  # type: ignore[misc, name-defined]
            @nn.compact
            def __call__(self) -> None:
                keys.append(self.make_rng("dropout"))

        Ear().apply({}, rngs={"dropout": key})
        hidden = hidden * dropout(keys[0], jnp.ones_like(hidden), 0.5)
        return (hidden @ inner["Dense_1"]["kernel"] + inner["Dense_1"]["bias"]).sum()

    ours = jax.grad(lambda weights: run(weights, key).sum())(weights)
    expected = jax.grad(by_hand)(weights)
    for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_equinox() -> None:
    eqx = pytest.importorskip("equinox", reason="Equinox is not installed")

    class Net(eqx.Module):  # type: ignore[misc, name-defined]
        first: Any
        last: Any
        rate: float

        def __init__(self, key: Any) -> None:
            one, two = jax.random.split(key)
            self.first, self.last = eqx.nn.Linear(12, 32, key=one), eqx.nn.Linear(32, 1, key=two)
            self.rate = 0.5

        def __call__(self, x: Any, key: Any = None) -> Any:
            hidden = jax.nn.relu(self.first(x))
            return self.last(hidden if key is None else dropout(key, hidden, self.rate))

    net = Net(jax.random.key(0))
    keys = jax.random.split(jax.random.key(1), len(X))
    together = eqx.filter_jit(lambda net, x, keys: jax.vmap(net)(x, keys))(net, X, keys)
    alone = jnp.stack([net(x, key) for x, key in zip(X, keys, strict=True)])
    np.testing.assert_allclose(together, alone, rtol=1e-5, atol=1e-6)  # each row has the mask that it has alone
    assert not np.array_equal(together, jax.vmap(net)(X))

    loss = eqx.filter_value_and_grad(lambda net, keys: (jax.vmap(net)(X, keys) ** 2).sum())
    value, gradient = eqx.filter_jit(loss)(net, keys)
    assert value > 0
    # A unit that was dropped in every row passes nothing back; with one row that is half of them.
    _, lonely = loss(net, keys[jnp.zeros(len(X), int)])
    dropped = np.asarray(dropout(keys[0], jnp.ones(32), net.rate)) == 0
    np.testing.assert_array_equal(np.asarray(lonely.first.weight)[dropped], 0)
    assert np.asarray(lonely.first.weight)[~dropped].any()
    assert np.isfinite(np.asarray(gradient.first.weight)).all()
