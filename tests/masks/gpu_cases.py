"""The Triton kernels against the law; test_gpu.py runs these cases in Triton's interpreter."""

import pytest
import torch
import torch.nn.functional as F

import sukima.torch as st
from sukima.masks import law
from sukima.masks.key import MaskKey
from sukima.torch import fused
from sukima.torch.keys import key_tensor

KEY = MaskKey(2**63 + 9, 2**40 + 3)


@pytest.mark.parametrize("first", [0, 5, 2**35 - 3])
@pytest.mark.parametrize("rate", [0.0, 1 / 1000, 0.3, 1.0])
@pytest.mark.parametrize("size", [0, 1, 1023, 2500])
def test_masks_are_the_law(size: int, rate: float, first: int) -> None:
    from sukima.masks import gpu

    x = torch.randn(size)
    x[:1] = float("nan")
    y = torch.empty_like(x)
    gpu.apply(x, y, key_tensor(KEY), rate, first=first)
    kept = torch.from_numpy(law.keep(KEY, rate, size, first))
    expected = torch.where(kept, x * torch.tensor(law.scale(rate), dtype=torch.float32), 0.0)
    torch.testing.assert_close(y, expected, rtol=0, atol=0, equal_nan=True)


@pytest.fixture
def on_triton(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fused, "_on_triton", lambda input: True)


def gradients(function: object, *inputs: torch.Tensor) -> list[torch.Tensor]:
    leaves = [x.clone().requires_grad_() for x in inputs]
    out = function(*leaves)  # type: ignore[operator]
    outs = out if isinstance(out, tuple) else (out,)
    total = sum((o * torch.linspace(0.5, 2, o.numel()).view(o.shape)).sum() for o in outs)
    return [*(o.detach() for o in outs), *torch.autograd.grad(total, leaves)]  # type: ignore[arg-type]


@pytest.mark.parametrize("columns", [30, 32])
@pytest.mark.parametrize("name", ["none", "relu", "gelu", "silu", "add", "norm"])
def test_fused_forms(name: str, columns: int, on_triton: None, monkeypatch: pytest.MonkeyPatch) -> None:
    x, rest, weight, bias = torch.randn(5, columns), torch.randn(5, columns), torch.randn(columns), torch.randn(columns)
    if name == "add":
        arguments, function = (x, rest), lambda *a: st.dropout_add(*a, 0.3, key=KEY)
    elif name == "norm":
        arguments, function = (x, rest, weight, bias), lambda *a: st.dropout_add_layer_norm(*a, 0.3, key=KEY)
    else:
        arguments, function = (x, bias), lambda *a: st.bias_activation_dropout(*a, name, 0.3, key=KEY)
    ours = gradients(function, *arguments)
    monkeypatch.setattr(fused, "_on_triton", lambda input: False)
    for mine, plain in zip(ours, gradients(function, *arguments), strict=True):
        torch.testing.assert_close(mine, plain, rtol=1e-5, atol=1e-5)


def test_inference_is_plain() -> None:
    x, b = torch.randn(3, 4), torch.randn(4)
    assert torch.equal(st.bias_activation_dropout(x, b, "relu", training=False), F.relu(x + b))
    assert torch.equal(st.dropout_add(x, x, training=False), x + x)
    assert torch.equal(st.dropout_add_layer_norm(x, x, b, b, training=False)[1], x + x)
