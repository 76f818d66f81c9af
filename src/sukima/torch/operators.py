"""The mask law as torch operators, for compilers, exporters and whatever else looks at calls instead of running them.

``sukima::draw`` takes a key from torch's generator, ``sukima::fold_in`` derives one, ``sukima::keep`` decides, and
``sukima::dropout`` puts masks on a tensor and is its own derivative. Eager calls go around them, since a registered
operator costs more to call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.library import Library

from sukima.torch.kernels import decided, dropped, fold
from sukima.torch.keys import draw_key, key_tensor

__all__ = ["draw", "dropout", "fold_in", "keep"]

_library = Library("sukima", "DEF")  # torch forgets the operators with the object
_library.define("draw(Tensor like) -> Tensor", tags=(torch.Tag.pt2_compliant_tag, torch.Tag.nondeterministic_seeded))
_library.define("fold_in(Tensor key, str value) -> Tensor", tags=(torch.Tag.pt2_compliant_tag,))
_library.define("fold_in.number(Tensor key, Tensor value) -> Tensor", tags=(torch.Tag.pt2_compliant_tag,))
_library.define(
    "dropout(Tensor input, Tensor key, Tensor? rates, float p, float? factor, int axis, SymInt[]? whole=None, "
    "SymInt[]? offset=None) -> Tensor",
    tags=(torch.Tag.pt2_compliant_tag,),
)

_library.define(
    "keep(Tensor key, Tensor? rates, float p, SymInt size, Device device) -> Tensor",
    tags=(torch.Tag.pt2_compliant_tag,),
)

draw: Callable[..., Tensor] = torch.ops.sukima.draw.default
fold_in: Callable[..., Tensor] = torch.ops.sukima.fold_in
dropout: Callable[..., Tensor] = torch.ops.sukima.dropout.default
keep: Callable[..., Tensor] = torch.ops.sukima.keep.default


def _draw(like: Tensor) -> Tensor:
    return key_tensor(draw_key(like.device))


def _fold_vmap(info: Any, dims: Any, key: Tensor, value: Any) -> tuple[Tensor, int]:
    return fold(key.movedim(dims[0], 0), value), 0


def _setup(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    _, key, rates, *ctx.rest = inputs
    ctx.save_for_backward(key, rates)


def _backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    key, rates = ctx.saved_tensors
    return dropout(grad, key, rates, *ctx.rest), *(None for _ in range(7))


def _keep_fake(key: Tensor, rates: Tensor | None, p: float, size: int, device: torch.device) -> Tensor:
    return torch.empty((*key.shape[:-1], size), dtype=torch.bool, device=device)


def _keep_vmap(info: Any, dims: Any, key: Tensor, rates: Tensor | None, *rest: Any) -> tuple[Tensor, int]:
    batch = info.batch_size
    key = key.unsqueeze(0).expand(batch, *key.shape) if dims[0] is None else key.movedim(dims[0], 0)
    if rates is not None and dims[1] is not None:
        rates = rates.movedim(dims[1], 0)
    return keep(key, rates, *rest), 0


_library.impl("keep", decided, "CompositeExplicitAutograd")
torch.library.register_fake("sukima::keep", _keep_fake, lib=_library)
torch.library.register_vmap("sukima::keep", _keep_vmap, lib=_library)
_library.impl("draw", _draw, "CompositeExplicitAutograd")
for _name in ("fold_in", "fold_in.number"):
    _library.impl(_name, fold, "CompositeExplicitAutograd")
    torch.library.register_fake(f"sukima::{_name}", lambda key, _: torch.empty_like(key), lib=_library)
torch.library.register_vmap("sukima::fold_in", _fold_vmap, lib=_library)
_library.impl("dropout", dropped, "CompositeExplicitAutograd")
torch.library.register_fake("sukima::draw", lambda like: torch.empty(2, dtype=torch.int64), lib=_library)
torch.library.register_fake("sukima::dropout", lambda input, *_: torch.empty_like(input), lib=_library)
torch.library.register_autograd("sukima::dropout", _backward, setup_context=_setup, lib=_library)
