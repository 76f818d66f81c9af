"""A gradient is overwritten only where nobody can see it."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import sukima.torch as st
from sukima.masks.key import MaskKey
from sukima.masks.pages import LARGE
from sukima.torch.memory import fresh, is_ours_alone

KEY = MaskKey(3)


class _Look(torch.autograd.Function):
    @staticmethod
    def forward(ctx: object, input: Tensor, found: list[bool]) -> Tensor:
        ctx.found = found  # type: ignore[attr-defined]
        return input.clone()

    @staticmethod
    def backward(ctx: object, *grads: Tensor) -> tuple[Tensor, None]:
        ctx.found.append(is_ours_alone(grads))  # type: ignore[attr-defined]
        return grads[0].clone(), None


Case = Callable[[Tensor, Callable[[Tensor], Tensor]], object]
given = torch.ones(4, 6)
kept: list[Tensor] = []


def _hooked(x: Tensor, look: Callable[[Tensor], Tensor]) -> None:
    y = look(x)
    y.register_hook(kept.append)
    (y * 2).backward(given)


def _post_hooked(x: Tensor, look: Callable[[Tensor], Tensor]) -> None:
    y = look(x)
    assert y.grad_fn is not None
    y.grad_fn.register_hook(lambda _inputs, outputs: kept.extend(outputs))
    (y * 2).backward(given)


def _kept_view(x: Tensor, look: Callable[[Tensor], Tensor]) -> None:
    y = look(x)
    y.register_hook(lambda grad: kept.append(grad.view(-1)))
    (y * 2).backward(given)


ALONE: dict[str, Case] = {
    "product": lambda x, look: (look(x) * 2).backward(given),
    "view": lambda x, look: (look(x).view(6, 4) * 2).backward(given.view(6, 4)),
    "layer": lambda x, look: nn.Linear(6, 3)(look(x)).relu().sum().backward(),
    "sum of two uses": lambda x, look: (lambda y: (y * 2 + y.sin()).sum().backward())(look(x)),
}
SHARED: dict[str, Case] = {
    "given": lambda x, look: look(x).backward(given),
    "given view": lambda x, look: look(x).view(6, 4).backward(given.view(6, 4)),
    "residual": lambda x, look: (lambda z: ((look(z) + z) * 2).backward(given))(x * 3),
    "hook": _hooked,
    "post hook": _post_hooked,
    "kept view": _kept_view,
    "expanded": lambda x, look: look(x).sum().backward(),
    "graph of the gradient": lambda x, look: torch.autograd.grad((look(x) * 2).sum(), x, create_graph=True),
}


@pytest.mark.parametrize(("name", "alone"), [*((n, True) for n in ALONE), *((n, False) for n in SHARED)])
def test_whose_gradient_it_is(name: str, alone: bool) -> None:
    found: list[bool] = []
    x = torch.randn(4, 6, requires_grad=True)
    (ALONE | SHARED)[name](x, lambda value: _Look.apply(value, found))  # type: ignore[no-untyped-call]
    assert found == [alone]


@pytest.mark.parametrize("name", [*ALONE, *SHARED])
def test_gradients_are_right_and_what_is_seen_stays(name: str) -> None:
    x = torch.randn(4, 6)
    mask = st.dropout(torch.ones_like(x), 0.5, key=KEY)
    results = []
    for look in (lambda value: st.dropout(value, 0.5, key=KEY), lambda value: value * mask):
        torch.manual_seed(0)
        kept.clear()
        leaf = x.clone().requires_grad_()
        made = (ALONE | SHARED)[name](leaf, look)
        results.append([leaf.grad, *kept] if made is None else made)
    for ours, plain in zip(*results, strict=True):
        torch.testing.assert_close(ours, plain)
    assert torch.equal(given, torch.ones(4, 6))


def test_large_results() -> None:
    like = torch.empty(LARGE // 2 + 7, dtype=torch.bfloat16)
    out = fresh(like)
    assert out.shape == like.shape
    out.fill_(1)
    assert float(out[-1]) == 1
    turned = torch.empty(2, 3, 4, 5).to(memory_format=torch.channels_last)
    assert fresh(turned).stride() == turned.stride()
