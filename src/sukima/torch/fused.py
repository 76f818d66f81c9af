"""Dropout together with what stands beside it: one pass over memory on a GPU, the same masks everywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeGuard

import torch
import torch.nn.functional as F
from torch import Tensor

from sukima.base.checks import check_choice, check_rate
from sukima.base.errors import InputError
from sukima.base.imports import is_installed
from sukima.masks.key import Key, MaskKey
from sukima.torch.keys import key_tensor
from sukima.torch.masked import check_input, is_traced, is_transformed, put_mask, site_key

__all__ = ["Activation", "bias_activation_dropout", "dropout_add", "dropout_add_layer_norm"]

Activation = Literal["none", "relu", "gelu", "silu"]

_ACTIVATE: dict[str, Callable[[Tensor], Tensor]] = {
    "none": lambda v: v,
    "relu": torch.relu,
    "gelu": F.gelu,
    "silu": F.silu,
}


def _on_triton(input: Tensor) -> bool:
    return input.device.type == "cuda" and is_installed("triton")


def _fused(key: Any, input: Tensor) -> TypeGuard[MaskKey]:
    transformed = is_transformed()
    return isinstance(key, MaskKey) and not is_traced(input) and not transformed and _on_triton(input)


class _BiasActivation(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, input: Tensor, bias: Tensor, kind: str, key: Tensor, rate: float) -> Tensor:
        from sukima.masks import gpu

        ctx.save_for_backward(input, bias, key)
        ctx.rest = kind, rate
        out = torch.empty_like(input)
        gpu.bias_activation(input, bias, kind, out, key, rate)
        return out

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        from sukima.masks import gpu

        input, bias, key = ctx.saved_tensors
        kind, rate = ctx.rest
        grad = torch.empty_like(input)
        gpu.bias_activation_backward(input, bias, kind, grads[0].contiguous(), grad, key, rate)
        return grad, grad.reshape(-1, bias.numel()).sum(0), None, None, None


class _Add(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, input: Tensor, residual: Tensor, key: Tensor, rate: float) -> Tensor:
        from sukima.masks import gpu

        ctx.save_for_backward(key)
        ctx.rate = rate
        out = torch.empty_like(input)
        gpu.add(input, residual, out, key, rate)
        return out

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        return _mask_gradient(grads[0], ctx.saved_tensors[0], ctx.rate), grads[0], None, None


class _AddNorm(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, input: Tensor, residual: Tensor, weight: Tensor, bias: Tensor, key: Tensor, rate: float, eps: float
    ) -> tuple[Tensor, Tensor]:
        from sukima.masks import gpu

        rows = (*input.shape[:-1], 1)
        mean, spread = (torch.empty(rows, dtype=torch.float32, device=input.device) for _ in range(2))
        summed, out = torch.empty_like(input), torch.empty_like(input)
        gpu.normalize(input, residual, weight, bias, summed, out, mean, spread, key, rate, eps)
        ctx.save_for_backward(summed, weight, bias, mean, spread, key)
        ctx.rate = rate
        return out, summed

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        summed, weight, bias, mean, spread, key = ctx.saved_tensors
        grad, to_weight, to_bias = torch.ops.aten.native_layer_norm_backward(
            grads[0].contiguous(), summed, weight.shape, mean, spread, weight, bias, [True, True, True]
        )
        grad = grad + grads[1]
        return _mask_gradient(grad, key, ctx.rate), grad, to_weight, to_bias, None, None, None


def _mask_gradient(grad: Tensor, key: Tensor, rate: float) -> Tensor:
    from sukima.masks import gpu

    grad = grad.contiguous()
    out = torch.empty_like(grad)
    gpu.apply(grad, out, key, rate)
    return out


_bias_activation: Callable[..., Tensor] = _BiasActivation.apply
_add: Callable[..., Tensor] = _Add.apply
_add_norm: Callable[..., tuple[Tensor, Tensor]] = _AddNorm.apply


def _same_shape(name: str, tensor: Tensor, expected: tuple[int, ...]) -> None:
    if tuple(tensor.shape) != expected:
        raise InputError(
            "{name} must have the shape {expected}, got {value}",
            name=name,
            expected=expected,
            value=tuple(tensor.shape),
        )


def bias_activation_dropout(
    input: Tensor,
    bias: Tensor,
    activation: Activation = "gelu",
    p: float = 0.5,
    training: bool = True,
    *,
    key: Key | None = None,
) -> Tensor:
    """``dropout(activation(input + bias))`` with ``bias`` along the last dimension; the mask is `dropout`'s.

    At inference the same without dropout. On a GPU one kernel, which keeps input and bias for backward; elsewhere
    three operations.

    Raises:
        InputError: an argument is not as described.
    """
    check_input(input)
    rate = check_rate("p", p)
    check_choice("activation", activation, tuple(_ACTIVATE))
    _same_shape("bias", bias, tuple(input.shape[-1:]))
    if not training or rate == 0:
        return _ACTIVATE[activation](input + bias)
    drawn = site_key(input, key)
    if _fused(drawn, input):
        return _bias_activation(input.contiguous(), bias, activation, key_tensor(drawn).to(input.device), rate)
    return put_mask(_ACTIVATE[activation](input + bias), drawn, rate)


def dropout_add(
    input: Tensor, residual: Tensor, p: float = 0.5, training: bool = True, *, key: Key | None = None
) -> Tensor:
    """``residual + dropout(input)``; the mask is `dropout`'s. At inference the plain sum.

    Raises:
        InputError: an argument is not as described.
    """
    check_input(input)
    rate = check_rate("p", p)
    _same_shape("residual", residual, tuple(input.shape))
    if not training or rate == 0:
        return residual + input
    drawn = site_key(input, key)
    if _fused(drawn, input):
        return _add(input.contiguous(), residual.contiguous(), key_tensor(drawn).to(input.device), rate)
    return residual + put_mask(input, drawn, rate)


def dropout_add_layer_norm(
    input: Tensor,
    residual: Tensor,
    weight: Tensor,
    bias: Tensor,
    p: float = 0.5,
    training: bool = True,
    eps: float = 1e-5,
    *,
    key: Key | None = None,
) -> tuple[Tensor, Tensor]:
    """``s = residual + dropout(input)`` and its layer normalization over the last dimension: gives both, ``(norm, s)``.

    The mask is `dropout`'s. At inference the same without dropout.

    Raises:
        InputError: an argument is not as described.
    """
    check_input(input)
    rate = check_rate("p", p)
    _same_shape("residual", residual, tuple(input.shape))
    for name, each in (("weight", weight), ("bias", bias)):
        _same_shape(name, each, tuple(input.shape[-1:]))
    drawn = None if not training or rate == 0 else site_key(input, key)
    if drawn is not None and _fused(drawn, input):
        rows, rest = input.contiguous(), residual.contiguous()
        return _add_norm(rows, rest, weight, bias, key_tensor(drawn).to(input.device), rate, eps)
    summed = residual + (input if drawn is None else put_mask(input, drawn, rate))
    return F.layer_norm(summed, weight.shape, weight, bias, eps), summed
