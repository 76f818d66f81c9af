"""Memory for results: on large tensors it costs more than masks do, so as little as possible is taken anew."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from operator import methodcaller
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import _disable_current_modes

from sukima.masks.pages import LARGE, MAPPED, keep_freed_memory, want_large_pages

__all__ = ["fresh", "is_ours_alone"]

_use_count: Callable[[Tensor], int] = methodcaller("_use_count")  # torch's stubs do not have it
_storage_count: Callable[[int], int] = torch._C._storage_Use_Count


def fresh(like: Tensor) -> Tensor:
    """An uninitialised tensor of the layout of ``like``.

    From the first on that is large, the process keeps freed memory for the next (`keep_freed_memory`).
    """
    out = torch.empty_like(like)
    if out.device.type == "cpu" and (size := out.numel() * out.element_size()) >= MAPPED:
        if size >= LARGE:
            want_large_pages(out.data_ptr(), size)
        else:
            keep_freed_memory()
    return out


_Holders = tuple[int, ...]


def _holders(grads: tuple[Tensor, ...]) -> _Holders:
    """How many hold the first tensor in C++ and in Python, and its memory; then those of what it is a view of."""
    storage = _storage_count(grads[0].untyped_storage()._cdata)
    own = _use_count(grads[0]), sys.getrefcount(grads[0]), storage
    base = grads[0]._base
    return own if base is None else (*own, _use_count(base), sys.getrefcount(base))


class _Probe(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, input: Tensor, found: set[_Holders]) -> Tensor:
        ctx.found = found
        return input.clone()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, None]:
        ctx.found.add(_holders(grads))
        return None, None


_probe: Callable[..., Tensor] = _Probe.apply


@cache
def _alone() -> set[_Holders]:
    """The holders of a gradient, itself or a view, that nobody has but the function that is given it."""
    found: set[_Holders] = set()
    with (
        torch.inference_mode(False),
        torch.enable_grad(),
        _disable_current_modes(),
        torch.autograd.set_detect_anomaly(False),
    ):
        leaf = torch.ones(2, requires_grad=True)
        (_probe(leaf, found) * 2).backward(torch.ones(2))
        (_probe(leaf, found).view(1, 2) * 2).backward(torch.ones(1, 2))
    return found


def is_ours_alone(grads: tuple[Tensor, ...]) -> bool:
    """Whether the first tensor that a function's ``backward`` was given may be overwritten with the result.

    By the condition under which torch's own engine adds gradients in place: nobody else holds it or its memory.
    """
    return (
        type(grads[0]) is Tensor
        and not torch.is_grad_enabled()
        and grads[0].is_contiguous()
        and _holders(grads) in _alone()
    )
