"""One way into the kernels for every layer: eager, traced or transformed, with or without gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from sukima.base.checks import check_instance
from sukima.base.errors import InputError
from sukima.masks.jobs import Shift, signed
from sukima.masks.key import Key, MaskKey, ShardedKey, unchecked
from sukima.torch import distributed, kernels, operators
from sukima.torch.keyed import current
from sukima.torch.keys import WORD, draw_key, key_tensor
from sukima.torch.memory import is_ours_alone

__all__ = [
    "check_input",
    "check_out",
    "check_shard",
    "is_plain",
    "is_traced",
    "is_transformed",
    "plain_call",
    "put_line",
    "put_mask",
    "put_plain",
    "site_key",
]

_PLAIN = (Tensor, torch.nn.Parameter)


def check_input(input: Tensor, name: str = "input") -> None:
    """Raise unless ``input`` is a floating-point tensor that the kernels know."""
    check_instance(name, input, Tensor)
    if input.dtype not in kernels.NUMBERS:
        raise InputError("{name} must be a floating-point tensor, got {value}", name=name, value=str(input.dtype))


def check_shard(input: Tensor, key: ShardedKey, name: str = "input") -> None:
    """Raise unless ``input`` has the shape of the block that the key is for."""
    if tuple(input.shape) != key.local:
        raise InputError(
            "{name} must have the shard's shape {expected}, got {value}",
            name=name,
            expected=key.local,
            value=tuple(input.shape),
        )


def check_out(out: Tensor, input: Tensor, name: str = "out") -> None:
    """Raise unless a result of the input's shape can be written to ``out``."""
    check_instance(name, out, Tensor)
    if out.shape != input.shape or out.dtype != input.dtype or out.device != input.device:
        raise InputError(
            "{name} must have the input's shape, dtype and device ({expected}), got {value}",
            name=name,
            expected=_shown(input),
            value=_shown(out),
        )
    if torch._debug_has_internal_overlap(out) == 1:  # the check that torch's own operators make
        raise InputError(
            "{name} must not have two elements at one place in memory, got strides {value}",
            name=name,
            value=out.stride(),
        )
    if (
        out is not input
        and _shares(out, input)
        and (out.data_ptr(), out.stride()) != (input.data_ptr(), input.stride())
    ):
        raise InputError("{name} must not overlap the input, unless it is the input", name=name)


def _shown(tensor: Tensor) -> str:
    return f"{tuple(tensor.shape)} {tensor.dtype} {tensor.device}"


def _shares(a: Tensor, b: Tensor) -> bool:
    if a.device.type != "cpu" or a.numel() == 0:
        return False
    spans = [
        (
            t.data_ptr(),
            t.data_ptr() + t.element_size() * (1 + sum((n - 1) * s for n, s in zip(t.shape, t.stride(), strict=True))),
        )
        for t in (a, b)
    ]
    return spans[0][0] < spans[1][1] and spans[1][0] < spans[0][1]


def is_traced(input: Tensor) -> bool:
    """Whether something looks at the calls on ``input``: a compiler, an exporter, a subclass, a dispatch mode."""
    return (
        torch.compiler.is_compiling()
        or type(input) not in _PLAIN
        or torch._C._len_torch_dispatch_stack() > 0
        or input.device.type == "meta"
    )


def is_transformed() -> bool:
    """Whether torch.func is at work, or forward-mode differentiation."""
    return torch._C._are_functorch_transforms_active() or forward_ad._current_level >= 0


def is_plain(input: Tensor) -> bool:
    """Whether nothing but autograd's backward pass looks at calls on ``input``."""
    return not is_transformed() and not is_traced(input)


class _Eager(torch.autograd.Function):
    """Linear in its input but for a shift; keeps nothing for backward but the key, the mask is computed again."""

    @staticmethod
    def forward(
        ctx: Any, input: Tensor, out: Tensor | None, key: Key, rate: float, factor: float | None, first: int,
        shift: Shift | None,
    ) -> Tensor:  # fmt: skip
        ctx.mask = key, rate, factor, first
        if out is not None:
            ctx.mark_dirty(out)
        return kernels.masked(input, out, key, rate, factor, first, shift)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        out = grads[0] if is_ours_alone(grads) else None
        return put_plain(grads[0], out, *ctx.mask, None), *_NONE


def plain_call(function: type[torch.autograd.Function], run: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """``function`` where a gradient may be asked for, else ``run``, which does the same; where `is_plain` only."""
    # The C function below Function.apply, whose checks for torch.func are made by is_plain and cost more than a mask.
    apply: Callable[..., Tensor] = super(torch.autograd.Function, function).apply  # type: ignore[misc]

    def call(*arguments: Any) -> Tensor:
        if torch.is_grad_enabled() and arguments[0].requires_grad:
            return apply(*arguments)
        return run(*arguments)

    return call


_NONE = (None,) * 6
put_plain = plain_call(_Eager, kernels.masked)


class _Line(torch.autograd.Function):
    """`_Eager` for what most calls are: with nothing to ask on the way, since asking costs as much as a small mask."""

    @staticmethod
    def forward(ctx: Any, input: Tensor, _out: None, *mask: Any) -> Tensor:
        ctx.mask = mask
        return kernels.masked_line(input, None, *mask)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        out = grads[0] if is_ours_alone(grads) else None  # before anything else here refers to it
        grad, (number, seed, stream, rate, factor) = grads[0], ctx.mask
        if out is not None or (type(grad) is Tensor and not torch.is_grad_enabled() and grad.is_contiguous()):
            return kernels.masked_line(grad, out, number, seed, stream, rate, factor), *_NONE
        return put_mask(grad, unchecked(seed & WORD, stream & WORD), rate, factor), *_NONE


put_line = plain_call(_Line, kernels.masked_line)


_Cut = tuple[tuple[int, ...], tuple[int, ...]]  # the shape of the whole tensor, and where in it the input begins


class _Transformed(torch.autograd.Function):
    """The same for keys and rates as tensors, in the form that torch.func's transforms can take apart."""

    @staticmethod
    def forward(
        input: Tensor, key: Tensor, rates: Tensor | None, p: float, factor: float | None, axis: int, part: _Cut | None
    ) -> Tensor:
        return operators.dropout(input, key, rates, p, factor, axis, *(part or ()))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        _, key, rates, *ctx.rest = inputs
        ctx.save_for_backward(key, rates)
        ctx.save_for_forward(key, rates)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        key, rates = ctx.saved_tensors
        return _transformed(grads[0], key, rates, *ctx.rest), *(None for _ in range(6))

    @staticmethod
    def jvp(ctx: Any, *tangents: Tensor) -> Tensor:
        key, rates = ctx.saved_tensors
        return _transformed(tangents[0], key, rates, *ctx.rest)

    @staticmethod
    def vmap(
        info: Any,
        dims: Any,
        input: Tensor,
        key: Tensor,
        rates: Tensor | None,
        p: float,
        factor: float | None,
        axis: int,
        part: _Cut | None,
    ) -> tuple[Tensor, int]:
        size = info.batch_size
        input, key = _front(input, dims[0], size), _front(key, dims[1], size)
        if rates is not None:
            rates = _front(rates, dims[2], size)
        if axis < 0:
            return _transformed(input, key, rates, p, factor, 0, part), 0
        # A batch of batches: one axis of both.
        inner = input.movedim(axis + 1, 1)
        count = inner.shape[1]
        key = key.expand(size, count, 2).reshape(-1, 2)
        if rates is not None:
            rates = rates.reshape(size, -1).expand(size, count).reshape(-1)
        both = _transformed(inner.reshape(size * count, *inner.shape[2:]), key, rates, p, factor, 0, part)
        return both.reshape(inner.shape).movedim(1, axis + 1), 0


_transformed: Callable[..., Tensor] = _Transformed.apply


def _front(value: Tensor, dim: int | None, size: int) -> Tensor:
    return value.unsqueeze(0).expand(size, *value.shape) if dim is None else value.movedim(dim, 0)


def site_key(input: Tensor, key: Key | None, call: int | None = None) -> Key | Tensor:
    """The key of a call: the caller's; inside `keyed` the site's; else a draw from the device's generator."""
    if key is not None:
        check_instance("key", key, (MaskKey, ShardedKey), "a MaskKey")
        return key
    if (named := current(call)) is not None:
        return named
    if torch._C._are_functorch_transforms_active():
        # Only torch's own factories obey vmap's ``randomness``.
        seed = torch.randint(-(2**63), 2**63 - 1, (1,), dtype=torch.int64)
        return torch.cat([seed, torch.zeros_like(seed)])
    here: Any = input
    if distributed.is_distributed(input):
        here = here.to_local()
    return operators.draw(here) if is_traced(here) else draw_key(here.device)


def _is_usual(input: Tensor) -> bool:
    return is_plain(input) and kernels.is_native(input) and input.is_contiguous()


def put_mask(
    input: Tensor,
    key: Key | Tensor,
    rate: float | Tensor,
    factor: float | None = None,
    out: Tensor | None = None,
    first: int = 0,
    part: _Cut | None = None,
) -> Tensor:
    """``input`` under the mask of ``key``: kept elements times ``factor`` (by default the law's), the others +0.

    Differentiable, also twice and forward; element ``i`` of the input is element ``first + i`` of the mask. With
    ``part`` the input is a block of a larger tensor, as with a `ShardedKey`.
    """
    if type(key) is MaskKey and type(rate) is float and _is_usual(input) and out is None and part is None and not first:
        seed, stream = signed(key.seed), signed(key.stream)
        return put_line(input, None, kernels.NUMBERS[input.dtype], seed, stream, rate, factor)
    if distributed.is_distributed(input):
        result = _put_on_shard(input, key, rate, factor)
        return result if out is None else out.copy_(result)
    if isinstance(key, MaskKey) and part is not None:
        key = key.shard(part[0], input.shape, part[1])
    if isinstance(key, ShardedKey):
        check_shard(input, key)
    transformed = is_transformed()
    if not isinstance(key, Tensor) and not isinstance(rate, Tensor) and not transformed and not is_traced(input):
        return put_plain(input, out, key, rate, factor, first, None)
    if isinstance(key, ShardedKey):
        part = key.shape, key.offset
        key = key.key
    keys = key_tensor(key)
    rates, p = (rate, 0.0) if isinstance(rate, Tensor) else (None, rate)
    if transformed:
        result = _transformed(input, keys, rates, p, factor, -1, part)
    else:
        result = operators.dropout(input, keys, rates, p, factor, -1, *(part or ()))
    return result if out is None else out.copy_(result)


def _put_on_shard(input: Tensor, key: Key | Tensor, rate: float | Tensor, factor: float | None) -> Tensor:
    whole, drawn = tuple(input.shape), key.key if isinstance(key, ShardedKey) else key

    def put(local: Tensor, offset: tuple[int, ...]) -> Tensor:
        return put_mask(local, drawn, rate, factor, part=(whole, offset))

    return distributed.on_shard(input, put)
