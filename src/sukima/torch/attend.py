"""Attention whose weights are dropped, as one step of autograd.

torch's own, with dropout, goes through its plain formula, which keeps two tensors of weights for the backward pass:
before dropout and after it. Here only the first is kept; the mask is computed again.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from sukima.masks.key import MaskKey
from sukima.torch import kernels
from sukima.torch.masked import is_plain, put_mask

__all__ = ["attend", "can_attend"]

_Mask = Tensor | None  # boolean: take part; or added to the scores


def can_attend(query: Tensor, key: Tensor, value: Tensor, mask: _Mask) -> bool:
    """Whether `attend` is for these tensors: (N, H, L, E) on the CPU, in single or double precision, nobody looking."""
    tensors = (query, key, value) if mask is None else (query, key, value, mask)
    return (
        not torch.is_autocast_enabled("cpu")
        and all(kernels.is_native(each) and is_plain(each) for each in tensors)
        and query.dtype in (torch.float32, torch.float64)
        and query.dtype == key.dtype == value.dtype
        and query.dim() == key.dim() == value.dim() == 4
        and query.shape[:2] == key.shape[:2] == value.shape[:2]
        and query.shape[3] == key.shape[3]
        and key.shape[2] == value.shape[2]
        and min(query.numel(), key.numel(), value.numel()) > 0
        and (mask is None or _fits(mask, query, key))
    )


def _fits(mask: Tensor, query: Tensor, key: Tensor) -> bool:
    wanted = (*query.shape[:3], key.shape[2])
    sizes = zip(reversed(mask.shape), reversed(wanted), strict=False)
    fitting = mask.dim() <= 4 and all(size in (1, want) for size, want in sizes)
    return fitting and not mask.requires_grad and mask.dtype in (torch.bool, query.dtype)


def attend(
    query: Tensor, key: Tensor, value: Tensor, mask: _Mask, scale: float | None, drawn: MaskKey, rate: float
) -> Tensor:
    """``dropout(softmax(query @ key.T * scale)) @ value`` where `can_attend`, the mask over the weights in their order.

    A query that may look at nothing gets zeros.
    """
    factor = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    wanted = torch.is_grad_enabled() and (query.requires_grad or key.requires_grad or value.requires_grad)
    if wanted:
        return _apply(query, key, value, mask, factor, drawn, rate)
    return kernels.masked(_weights(query, key, mask, factor), None, drawn, rate) @ value


def _weights(query: Tensor, key: Tensor, mask: _Mask, factor: float) -> Tensor:
    scores = (query * factor) @ key.transpose(-2, -1)
    if mask is None:
        return scores.softmax(-1)
    scores = scores.masked_fill(~mask, -math.inf) if mask.dtype is torch.bool else scores + mask
    weights: Tensor = torch.ops.aten._safe_softmax.default(scores, -1)
    return weights


class _Attend(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, mask: _Mask, factor: float, drawn: MaskKey, rate: float
    ) -> Tensor:
        weights = _weights(query, key, mask, factor)
        ctx.save_for_backward(query, key, value, mask, weights)
        ctx.rest = factor, drawn, rate
        return kernels.masked(weights, None, drawn, rate) @ value

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, mask, weights = ctx.saved_tensors
        factor, drawn, rate = ctx.rest
        needed: tuple[bool, ...] = ctx.needs_input_grad[:3]
        grad = grads[0]
        if torch.is_grad_enabled():  # a derivative of it is wanted
            again = put_mask(_weights(query, key, mask, factor), drawn, rate) @ value
            asked = [each for each, wanted in zip((query, key, value), needed, strict=True) if wanted]
            found = iter(torch.autograd.grad(again, asked, grad, create_graph=True))
            return *(next(found) if wanted else None for wanted in needed), *_NONE
        kept = kernels.masked(weights, None, drawn, rate)
        by_value = kept.transpose(-2, -1) @ grad if needed[2] else None
        if not (needed[0] or needed[1]):
            return None, None, by_value, *_NONE
        kept = torch.matmul(grad, value.transpose(-2, -1), out=kept)
        kernels.masked(kept, kept, drawn, rate)
        scores = torch._softmax_backward_data(kept, weights, -1, weights.dtype)
        by_query = (scores @ key).mul_(factor) if needed[0] else None
        by_key = (scores.transpose(-2, -1) @ query).mul_(factor) if needed[1] else None
        return by_query, by_key, by_value, *_NONE


_NONE = (None,) * 4
# As for other masks: the C function below Function.apply, since can_attend has made its checks.
_apply: Callable[..., Tensor] = super(torch.autograd.Function, _Attend).apply
