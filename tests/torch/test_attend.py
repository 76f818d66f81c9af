"""Attention with dropped weights as one step: the same masks, values and gradients as the plain formula."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import forward_ad

import sukima.torch as st
from sukima.masks.key import MaskKey
from sukima.torch.attend import attend, can_attend
from sukima.torch.dropout import dropout
from sukima.torch.keys import draw_key

KEY = MaskKey(3)
MASKS = {
    "none": None,
    "causal": torch.ones(20, 20, dtype=torch.bool).tril(),
    "added": torch.linspace(-1, 1, 40, dtype=torch.float64).view(2, 1, 1, 20),
    "nothing to look at": torch.zeros(20, 20, dtype=torch.bool),
}


def inputs(long: int = 20, dtype: torch.dtype = torch.float64) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = [(2, 3, long, 4), (2, 3, long, 4), (2, 3, long, 6)]
    return [torch.randn(shape, generator=generator, dtype=dtype).requires_grad_() for shape in shapes]


def plain(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, rate: float) -> Tensor:
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf) if mask.dtype is torch.bool else scores + mask
    return dropout(scores.softmax(-1).nan_to_num(0.0), rate, key=KEY) @ v


@pytest.mark.parametrize("name", MASKS)
def test_is_the_plain_formula(name: str) -> None:
    leaves, mask = inputs(), MASKS[name]
    ours = attend(*leaves, mask, None, KEY, 0.3)
    expected = plain(*leaves, mask, 0.3)
    torch.testing.assert_close(ours, expected)
    with torch.no_grad():
        torch.testing.assert_close(attend(*leaves, mask, None, KEY, 0.3), expected)
    for got, wanted in zip(
        torch.autograd.grad(ours.square().sum(), leaves),
        torch.autograd.grad(expected.square().sum(), leaves),
        strict=True,
    ):
        torch.testing.assert_close(got, wanted.nan_to_num(0.0))


@pytest.mark.parametrize("name", ["none", "added"])
def test_gradients_also_of_gradients(name: str) -> None:
    leaves = inputs(3)
    mask = None if name == "none" else torch.linspace(-1, 1, 3, dtype=torch.float64)

    def run(*tensors: Tensor) -> Tensor:
        return attend(*tensors, mask, 0.7, KEY, 0.3)

    assert torch.autograd.gradcheck(run, leaves)
    assert torch.autograd.gradgradcheck(run, leaves)
    for i, leaf in enumerate(leaves):  # one at a time
        alone = [each if i == j else each.detach() for j, each in enumerate(leaves)]
        torch.testing.assert_close(
            torch.autograd.grad(run(*alone).square().sum(), leaf),
            torch.autograd.grad(run(*leaves).square().sum(), leaf),
        )


@pytest.mark.parametrize("name", MASKS)
def test_accelerated_attention_has_the_masks_that_torchs_formula_would_get(name: str) -> None:
    leaves, mask = inputs(), MASKS[name]
    with st.accelerate():
        torch.manual_seed(5)
        ours = F.scaled_dot_product_attention(*leaves, mask, 0.3)
        torch.manual_seed(5)
        drawn = draw_key()
    torch.testing.assert_close(ours, attend(*leaves, mask, None, drawn, 0.3))


def test_keeps_the_weights_once() -> None:
    q, k, v = inputs(64, torch.float32)
    kept: list[int] = []

    def pack(tensor: Tensor) -> Tensor:
        kept.append(tensor.numel())
        return tensor

    with st.accelerate(), torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        F.scaled_dot_product_attention(q, k, v, dropout_p=0.1)
    assert sum(kept) == q.numel() + k.numel() + v.numel() + 2 * 3 * 64 * 64


def test_what_it_is_not_for_goes_to_torch() -> None:
    q, k, v = inputs()
    assert can_attend(q, k, v, None)
    assert not can_attend(q.half(), k.half(), v.half(), None)
    assert not can_attend(q[0], k[0], v[0], None)
    assert not can_attend(q, k[:, :1], v[:, :1], None)
    assert not can_attend(q, k, v, torch.zeros(20, 19, dtype=torch.bool))
    assert not can_attend(q, k, v, torch.zeros(20, 20, dtype=torch.float64, requires_grad=True))
    with torch.autocast("cpu", torch.bfloat16):
        assert not can_attend(q, k, v, None)
    with st.accelerate():
        with pytest.raises(RuntimeError):
            F.scaled_dot_product_attention(q, k, v[..., :5, :], dropout_p=0.1)
        few = [each[:, :1] for each in (k, v)]
        out = F.scaled_dot_product_attention(q, *few, dropout_p=0.1, enable_gqa=True)
        assert out.shape == (2, 3, 20, 6)
        with torch.autocast("cpu", torch.bfloat16):
            F.scaled_dot_product_attention(q.float(), k.float(), v.float(), dropout_p=0.1).sum().backward()


@pytest.mark.parametrize("accelerated", [False, True])
def test_forward_mode_derivatives(accelerated: bool) -> None:
    x, t = torch.randn(4096), torch.randn(4096)
    torch.manual_seed(0)
    with forward_ad.dual_level():
        if accelerated:
            with st.accelerate():
                value, tangent = forward_ad.unpack_dual(F.dropout(forward_ad.make_dual(x, t), 0.5))
        else:
            value, tangent = forward_ad.unpack_dual(st.dropout(forward_ad.make_dual(x, t), 0.5))
    torch.testing.assert_close(tangent, t * (value / x))
    with forward_ad.dual_level():
        maps = forward_ad.make_dual(x.view(4, 16, 64), t.view(4, 16, 64))
        value, tangent = forward_ad.unpack_dual(st.dropout1d(maps, 0.5, key=KEY))
    torch.testing.assert_close(tangent.flatten(), t * (value.flatten() / x))
