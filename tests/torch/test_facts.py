"""Exact facts about the family: known formulas, second implementations, rates that change without a recompilation."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn
from torch._dynamo.testing import CompileCounter

import sukima.torch as st
from sukima.masks import law
from sukima.masks.key import MaskKey
from sukima.torch.noise import normal, uniform

KEY = MaskKey(77, 5)


def test_input_dropout_on_linear_regression_is_ridge() -> None:
    """Its minimiser is that of ridge with weight rate/(1 - rate) on the squared norms of the features."""
    rate, copies = 0.3, 8_000
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(20, 4, generator=generator, dtype=torch.float64) * torch.tensor([1.0, 2.0, 0.5, 3.0])
    y = x @ torch.tensor([1.0, -2.0, 0.5, 0.2], dtype=torch.float64) + torch.randn(
        20, generator=generator, dtype=torch.float64
    )
    masked = st.dropout(x.repeat(copies, 1), rate, key=KEY)
    by_dropout = torch.linalg.lstsq(masked, y.repeat(copies)[:, None]).solution[:, 0]
    gram = x.T @ x
    ridge = torch.linalg.solve(gram + rate / (1 - rate) * torch.diag(gram.diag()), x.T @ y)
    plain = torch.linalg.solve(gram, x.T @ y)
    assert (by_dropout - ridge).abs().max() < 0.03
    assert (plain - ridge).abs().max() > 0.2


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_gaussian_moments(rate: float) -> None:
    count = 400_000
    y = st.gaussian_dropout(torch.ones(count, dtype=torch.float64), rate, key=KEY)
    variance = rate / (1 - rate)
    assert abs(y.mean() - 1) < 5 * math.sqrt(variance / count)
    assert abs(y.var() / variance - 1) < 5 * math.sqrt(2 / count)
    fourth = ((y - 1) ** 4).mean() / variance**2
    assert abs(fourth - 3) < 5 * math.sqrt(96 / count)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_alpha_dropout_keeps_mean_and_variance(rate: float) -> None:
    torch.manual_seed(0)
    y = st.alpha_dropout(torch.randn(400_000), rate, key=KEY)
    assert abs(y.mean()) < 0.02
    assert abs(y.var() - 1) < 0.02


def test_noise_is_the_laws_words() -> None:
    words = law.words(KEY, 26).reshape(-1)[:101].astype(np.float64)
    single, double = torch.empty(0), torch.empty(0, dtype=torch.float64)
    np.testing.assert_array_equal(uniform((101,), KEY, single), (np.floor(words / 512) + 0.5) / 2**23)
    exact = (words + 0.5) / 2**32
    np.testing.assert_array_equal(uniform((101,), KEY, double), exact)
    radius, angle = np.sqrt(-2 * np.log(exact[0:100:2])), 2 * np.pi * exact[1:100:2]
    expected = np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1).reshape(-1)
    np.testing.assert_allclose(normal((100,), KEY, double), expected, rtol=1e-13, atol=1e-15)


def test_structured_masks_follow_the_law() -> None:
    def kept(kind: str, rate: float, *shape: int) -> torch.Tensor:
        return torch.from_numpy(law.keep(KEY.fold_in(kind), rate, math.prod(shape))).view(shape)

    x = torch.ones(6, 5, 4)
    cases = [
        (st.drop_path(x, 0.4, key=KEY), kept("path", 0.4, 6, 1, 1)),
        (st.token_dropout(x, 0.4, key=KEY), kept("token", 0.4, 6, 5, 1)),
        (st.head_dropout(x, 0.4, key=KEY), kept("head", 0.4, 6, 5, 1)),
        (st.locked_dropout(x, 0.4, key=KEY), kept("locked", 0.4, 1, 5, 4)),
        (st.locked_dropout(x, 0.4, batch_first=True, key=KEY), kept("locked", 0.4, 6, 1, 4)),
        (st.shaped_dropout(x, 0.4, (1, 1, None), key=KEY), kept("shaped", 0.4, 1, 1, 4)),
        (st.attention_dropout(x, 0.4, key=KEY), kept("attention", 0.4, 6, 5, 4)),
        (st.weight_dropout(x, 0.4, key=KEY), kept("weight", 0.4, 6, 5, 4)),
    ]
    for result, mask in cases:
        torch.testing.assert_close(result, mask.expand_as(x) * law.scale(0.4), check_dtype=False)
    tokens = torch.randint(9, (7, 3))
    weight = torch.ones(9, 2)
    found = st.embedding_dropout(tokens, weight, 0.4, key=KEY)
    mask = kept("word type", 0.4, 9)[tokens][..., None]
    torch.testing.assert_close(found, mask.expand_as(found) * law.scale(0.4), check_dtype=False)
    edges = torch.randint(5, (2, 30))
    torch.testing.assert_close(st.drop_edge(edges, p=0.4, key=KEY)[0], edges[:, kept("edge", 0.4, 30)])


@pytest.mark.parametrize("spatial", [1, 2, 3])
def test_blocks_are_squares_around_seeds(spatial: int) -> None:
    rate, block, length = 0.3, 3, 8
    shape = (40, 6) + (length,) * spatial
    call = (st.drop_block1d, st.drop_block2d, st.drop_block3d)[spatial - 1]
    y = call(torch.ones(shape), rate, block, key=KEY)
    seeds = 1 - (1 - rate) ** (1 / block**spatial)
    whole = (40, 6) + (length + block - 1,) * spatial
    kept = torch.from_numpy(law.keep(KEY.fold_in("block"), seeds, math.prod(whole))).view(whole)
    for dim in range(2, 2 + spatial):
        kept = kept.unfold(dim, block, 1).all(-1)
    assert torch.equal(y != 0, kept)
    assert y[y != 0].unique().numel() == 1
    share = (y == 0).float().mean(tuple(range(2)))  # by place: borders are dropped as often
    assert (share - rate).abs().max() < 0.15
    assert abs((y == 0).float().mean() - rate) < 0.03
    assert abs(y.mean() - 1) < 0.05


def test_edges_in_both_directions_go_together() -> None:
    edges = torch.randint(12, (2, 60), generator=torch.Generator().manual_seed(0))
    both = torch.cat((edges, edges.flip(0)), 1)
    weights = torch.arange(120)
    left, kept = st.drop_edge(both, weights, 0.5, undirected=True, key=KEY)
    found = {tuple(edge) for edge in left.T.tolist()}
    assert found == {(b, a) for a, b in found}
    assert torch.equal(left, both[:, kept])
    assert 0 < left.shape[1] < 120


def test_layer_drop_skips_whole_layers_and_costs_nothing_for_them() -> None:
    calls = []

    class Layer(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            calls.append(self)
            return x + 1

    stack = st.LayerDrop([Layer() for _ in range(200)], p=0.5)
    torch.manual_seed(0)
    y = stack(torch.zeros(1))
    assert len(calls) == int(y)
    assert 60 < len(calls) < 140
    assert stack.eval()(torch.zeros(1)) == 200


def test_attention_is_torchs_without_dropout_and_its_mean_with() -> None:
    q, k, v = torch.randn(3, 2, 2, 5, 4)
    mask = torch.rand(5, 5) > 0.3
    mask.fill_diagonal_(True)
    for options in ({}, {"is_causal": True}, {"attn_mask": mask}, {"attn_mask": torch.randn(5, 5)}, {"scale": 0.3}):
        expected = nn.functional.scaled_dot_product_attention(q, k, v, **options)
        torch.testing.assert_close(st.scaled_dot_product_attention(q, k, v, **options), expected)
        keys = [MaskKey(seed) for seed in range(150)]
        runs = [st.scaled_dot_product_attention(q, k, v, dropout_p=0.2, mask_key=key, **options) for key in keys]
        assert (torch.stack(runs).mean(0) - expected).abs().mean() < 0.1


@pytest.mark.parametrize("module", [st.DropPath(0.1), st.AlphaDropout(0.1), st.LockedDropout(0.1)], ids=repr)
def test_rate_changes_without_recompilation(module: st.DropPath) -> None:
    module.hold_rate_as_tensor()
    counter = CompileCounter()
    torch._dynamo.reset()
    compiled = torch.compile(module, fullgraph=True, backend=counter)
    x = torch.ones(4, 8, 16)
    for step in range(20):
        module.p = step / 20
        compiled(x)
    assert counter.frame_count == 1


@pytest.mark.parametrize(
    "module",
    [st.AlphaDropout(0.3), st.GaussianDropout(0.3), st.DropBlock2d(0.3, 3), st.Embedding(9, 4, p=0.5)],
    ids=repr,
)
def test_inductor_agrees(module: nn.Module) -> None:
    x = torch.randn(2, 3, 8, 8) if not isinstance(module, st.Embedding) else torch.randint(9, (2, 3))
    torch._dynamo.reset()
    torch.manual_seed(1)
    found = torch.compile(module, fullgraph=True)(x)
    torch.manual_seed(1)
    torch.testing.assert_close(found, module(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("layer", [st.alpha_dropout, st.feature_alpha_dropout])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_alpha_dropout_is_the_same_in_steps(layer: Callable[..., torch.Tensor], dtype: torch.dtype) -> None:
    x = torch.randn(7, 5, 33).to(dtype)
    expected = layer(x, 0.3, key=KEY)
    assert torch.equal(torch.vmap(lambda v: layer(v, 0.3, key=KEY), randomness="same")(x[None])[0], expected)
    part = x[4:6].contiguous(), KEY.shard(x.shape, (2, 5, 33), (4, 0, 0))
    assert torch.equal(layer(part[0], 0.3, key=part[1]), expected[4:6])
    if dtype is torch.float64:  # rates as tensors reckon in it
        assert torch.equal(layer(x, torch.tensor(0.3, dtype=dtype), key=KEY), expected)
