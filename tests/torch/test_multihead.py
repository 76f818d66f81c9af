"""Multi-head attention: torch's layer to the last argument, with masks by the law."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import sukima.torch as st
from sukima.torch.multihead import MultiheadAttention

BOOLEAN = torch.triu(torch.ones(5, 7, dtype=torch.bool), 3)
PADDING = torch.tensor([[False] * 7, [False] * 4 + [True] * 3, [False] * 6 + [True]])

CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "plain": ({}, {}),
    "batch first": ({"batch_first": True}, {}),
    "no bias": ({"bias": False}, {"need_weights": False}),
    "other widths": ({"kdim": 6, "vdim": 4}, {"average_attn_weights": False}),
    "appended": ({"add_bias_kv": True, "add_zero_attn": True}, {"key_padding_mask": PADDING, "attn_mask": BOOLEAN}),
    "boolean mask": ({}, {"attn_mask": BOOLEAN}),
    "added mask": ({"batch_first": True}, {"attn_mask": torch.randn(5, 7), "key_padding_mask": PADDING}),
    "a mask a head": ({}, {"attn_mask": torch.randn(3 * 2, 5, 7)}),
}


def pair(**options: Any) -> tuple[nn.MultiheadAttention, MultiheadAttention]:
    torch.manual_seed(0)
    theirs = nn.MultiheadAttention(8, 2, **options)
    for parameter in theirs.parameters():
        nn.init.normal_(parameter, std=0.3)  # biases begin at 0
    ours = MultiheadAttention(8, 2, **options)
    ours.load_state_dict(theirs.state_dict())
    return theirs, ours


def inputs(batch_first: bool = False, kdim: int = 8, vdim: int = 8, **_: Any) -> list[Tensor]:
    torch.manual_seed(1)
    parts = [torch.randn(3, length, width) for length, width in ((5, 8), (7, kdim), (7, vdim))]
    return parts if batch_first else [part.transpose(0, 1) for part in parts]


@pytest.mark.parametrize("name", CASES)
def test_where_no_weight_is_dropped_it_is_torchs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    options, arguments = CASES[name]
    theirs, ours = pair(**options)
    ours.dropout = 0.5
    monkeypatch.setattr(ours, "drop_weights", lambda weights: weights)
    given = [part.requires_grad_() for part in inputs(**options)]
    results = [layer(*given, **arguments) for layer in (theirs, ours)]
    for one, other in zip(*results, strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            torch.testing.assert_close(one, other)
    gradients = [torch.autograd.grad(result[0].square().sum(), given) for result in results]
    torch.testing.assert_close(*gradients)


def test_one_sequence_by_itself_and_one_tensor_for_all_three(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs, ours = pair()
    ours.dropout = 0.5
    monkeypatch.setattr(ours, "drop_weights", lambda weights: weights)
    x = torch.randn(5, 8)
    for one, other in zip(theirs(x, x, x), ours(x, x, x), strict=True):
        torch.testing.assert_close(one, other)


def test_its_masks_are_the_laws_and_scale_what_is_kept() -> None:
    _, ours = pair(batch_first=True, dropout=0.25)
    x = inputs(batch_first=True)[0]
    whole = ours.eval()(x, x, x, average_attn_weights=False)[1]
    with st.keyed(ours.train(), seed=7, step=3):
        dropped = ours(x, x, x, average_attn_weights=False)[1]
    kept = dropped != 0
    torch.testing.assert_close(dropped[kept], whole[kept] / 0.75)
    assert 0.6 < kept.float().mean() < 0.9
    with st.keyed(ours, seed=7, step=3):
        assert torch.equal(ours(x, x, x, average_attn_weights=False)[1], dropped)
    with st.keyed(ours, seed=7, step=4):
        assert not torch.equal(ours(x, x, x, average_attn_weights=False)[1], dropped)


def test_inference_and_errors_are_torchs() -> None:
    theirs, ours = pair(dropout=0.5)
    parts = inputs()
    torch.testing.assert_close(ours.eval()(*parts)[0], theirs.eval()(*parts)[0])
    for layer in (theirs.train(), ours.train()):
        with pytest.raises(RuntimeError, match="is_causal"):
            layer(parts[0], parts[0], parts[0], is_causal=True)


def test_replace_keeps_the_object_its_parameters_and_the_state_dict() -> None:
    block = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.3, batch_first=True)
    before, attention = copy.deepcopy(block.state_dict()), block.self_attn
    st.replace(block)
    assert block.self_attn is attention
    assert type(attention) is MultiheadAttention
    assert attention.dropout == 0.3
    assert {n: v.shape for n, v in block.state_dict().items()} == {n: v.shape for n, v in before.items()}
    x = torch.randn(2, 5, 8)
    with st.keyed(block, seed=1, step=1):
        first = block(x)
    with st.keyed(block, seed=1, step=1):
        assert torch.equal(block(x), first)
    torch.testing.assert_close(block.eval()(x), block(x))


def test_a_subclass_of_ones_own_is_left_alone() -> None:
    class Own(nn.MultiheadAttention):
        pass

    model = nn.Sequential(Own(8, 2, dropout=0.1))
    st.replace(model)
    assert type(model[0]) is Own
