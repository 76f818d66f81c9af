"""What takes the place of torch's dropout operators in an accelerated process, each with torch's own semantics.

Registered for the dispatch keys of the CPU, so that Python, C++ and compilers arrive here alike. Small tensors go on to
torch's own operator: there the call costs more than the mask.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch._guards import TracingContext

from sukima.base.errors import InputError
from sukima.masks import cpu, law
from sukima.masks.key import MaskKey
from sukima.torch import keys, operators
from sukima.torch.alpha import saturated
from sukima.torch.attend import attend, can_attend
from sukima.torch.kernels import NUMBERS
from sukima.torch.keyed import active, current
from sukima.torch.masked import is_traced, is_transformed, put_line, put_mask
from sukima.torch.memory import fresh
from sukima.torch.structured import masked_over

__all__ = ["overrides"]

# Where our call and torch's loop cost the same, in elements; with gradients our call costs a little more.
SMALL, SMALL_WITH_GRADIENTS = 320, 1024

_COMPOSITE = torch._C.DispatchKey.CompositeImplicitAutograd


def _torchs(name: str) -> Callable[..., Tensor]:
    operator = getattr(torch.ops.aten, name).default
    run = operator._op_dk

    def call(*arguments: Any, **named: Any) -> Tensor:
        result: Tensor = run(_COMPOSITE, *arguments, **named)
        return result

    return call


def _served(input: Tensor) -> bool:
    return input.dtype in NUMBERS and input.layout is torch.strided


def _key(input: Tensor) -> MaskKey | Tensor:
    if active() and TracingContext.try_get() is not None:
        raise InputError(
            "torch's own dropout cannot be keyed inside compiled code, where modules have no names any more; use "
            "sukima.torch.replace(model) before compiling, or compile outside keyed()"
        )
    if (named := current()) is not None:
        return named
    if torch._C._are_functorch_transforms_active() or is_traced(input):
        return operators.draw(input)
    return keys.draw_key()


def _make_dropout() -> Callable[[Tensor, float, bool], Tensor]:
    torchs, apply_line, draw, threads = _torchs("dropout"), cpu.apply_line, keys.draw_seed, torch.get_num_threads
    compiling, modes = torch.compiler.is_compiling, torch._C._len_torch_dispatch_stack

    def dropout(input: Tensor, p: float, train: bool) -> Tensor:
        size = input.numel()
        if not train or p == 0 or size == 0:
            return torchs(input, p, train)
        graph = input.requires_grad and torch.is_grad_enabled()
        number = NUMBERS.get(input.dtype)
        if type(input) is Tensor and not (modes() or compiling() or is_transformed()):
            few = size < (SMALL_WITH_GRADIENTS if graph else SMALL) and not active()
            if few or number is None or not 0 <= p <= 1:
                return torchs(input, p, train)
            if not active() and input.is_contiguous():
                if graph:
                    return put_line(input, None, number, draw(), 0, p, None)
                out = fresh(input)
                apply_line(number, input.data_ptr(), out.data_ptr(), size, draw(), 0, p, None, threads())
                return out
        if number is None or not 0 <= p <= 1 or input.layout is not torch.strided:
            return torchs(input, p, train)
        return put_mask(input, _key(input), p)

    return dropout


def _make_in_place() -> Callable[[Tensor, float, bool], Tensor]:
    torchs = _torchs("dropout_")

    def dropout_(input: Tensor, p: float, train: bool) -> Tensor:
        small = input.numel() < SMALL_WITH_GRADIENTS and not is_traced(input) and not active()
        if not train or p == 0 or small or not 0 <= p <= 1 or not _served(input):
            return torchs(input, p, train)
        return put_mask(input, _key(input), p, out=input)

    return dropout_


def _channels(input: Tensor) -> tuple[int, ...]:
    return (*input.shape[:2], *(1 for _ in input.shape[2:]))


def _make_feature(name: str, inplace: bool) -> Callable[[Tensor, float, bool], Tensor]:
    torchs = _torchs(name)

    def feature_dropout(input: Tensor, p: float, train: bool) -> Tensor:
        unserved = input.numel() == 0 or input.dim() < 2 or not 0 <= p <= 1 or not _served(input)
        if not train or p == 0 or unserved:
            return torchs(input, p, train)
        return masked_over(input, _channels(input), keys.of_kind(_key(input), "channel"), p, inplace=inplace)

    return feature_dropout


def _make_alpha(name: str, features: bool, inplace: bool) -> Callable[[Tensor, float, bool], Tensor]:
    """Alpha dropout: the dropped take SELU's limit, and an affine map restores mean and variance."""
    torchs = _torchs(name)

    def alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
        unserved = input.numel() == 0 or (features and input.dim() < 2) or not 0 <= p < 1 or not _served(input)
        dropped = 0.0 if unserved else law.threshold(p) / 2.0 ** law.bits(p)
        if not train or p == 0 or unserved or dropped == 1:
            return torchs(input, p, train)
        key = keys.of_kind(_key(input), "feature alpha" if features else "alpha")
        return saturated(input, key, p, inplace, _channels(input) if features else None)

    return alpha_dropout


def _make_attention() -> Callable[..., Tensor]:
    torchs = _torchs("scaled_dot_product_attention")

    def scaled_dot_product_attention(
        query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, dropout_p: float = 0.0,
        is_causal: bool = False, *, scale: float | None = None, enable_gqa: bool = False,
    ) -> Tensor:  # fmt: skip
        if not 0 < dropout_p <= 1 or is_causal or not can_attend(query, key, value, attn_mask):
            return torchs(query, key, value, attn_mask, dropout_p, is_causal, scale=scale, enable_gqa=enable_gqa)
        drawn = _key(query)
        assert isinstance(drawn, MaskKey)  # nobody looks
        return attend(query, key, value, attn_mask, scale, drawn, dropout_p)

    return scaled_dot_product_attention


def overrides() -> dict[str, Callable[..., Tensor]]:
    """The name of each operator, with what takes its place."""
    found: dict[str, Callable[..., Tensor]] = {"dropout": _make_dropout(), "dropout_": _make_in_place()}
    found["scaled_dot_product_attention"] = _make_attention()
    for inplace, end in ((False, ""), (True, "_")):
        found[f"feature_dropout{end}"] = _make_feature(f"feature_dropout{end}", inplace)
        found[f"alpha_dropout{end}"] = _make_alpha(f"alpha_dropout{end}", False, inplace)
        found[f"feature_alpha_dropout{end}"] = _make_alpha(f"feature_alpha_dropout{end}", True, inplace)
    return found
