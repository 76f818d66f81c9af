"""A model for export: as it is at inference, with nothing left in it that could drop."""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from sukima.base.checks import check_instance
from sukima.torch.concrete import ConcreteDropout, GroupedDropout
from sukima.torch.connect import DropConnect
from sukima.torch.dropout import Dropout
from sukima.torch.held import held_rates, sole_rate
from sukima.torch.insertion import InsertedDropout
from sukima.torch.layer_drop import LayerDrop
from sukima.torch.layers import dropout_kind
from sukima.torch.multi_sample import MultiSampleDropout
from sukima.torch.rated import RatedModule
from sukima.torch.recurrent import GRU, LSTM
from sukima.torch.tokens import Embedding

__all__ = ["strip"]

_FUNCTIONS = frozenset(
    getattr(place, name + end)
    for place in (torch, nn.functional)
    for name in (
        "dropout", "alpha_dropout", "feature_dropout", "feature_alpha_dropout", "dropout1d", "dropout2d", "dropout3d",
    )
    for end in ("", "_")
    if hasattr(place, name + end)
)  # fmt: skip
# Layers that do more than drop: they stay, at rate 0.
_KEPT = (nn.MultiheadAttention, nn.RNNBase, LayerDrop, DropConnect, Embedding)
_OWN_RATES = ("input_dropout", "weight_dropout", "recurrent_dropout")


def strip(model: nn.Module) -> nn.Module:
    """A copy of ``model`` in inference mode without dropout, for ``torch.export`` and ONNX.

    Dropout modules, torch's and ours, become ``nn.Identity``; attention and recurrent layers, and modules that hold a
    rate as a number (see `sites`), get rate 0 (zoneout stays, since at inference it is an average and drops nothing);
    inserted dropout is taken away; `ConcreteDropout` and `MultiSampleDropout` leave the layer inside them. Calls of
    dropout functions in a forward of one's own are left out when a compiler or an exporter looks. ``model`` stays as
    it is. Names in the state dict change only where a wrapper goes.

    Raises:
        InputError: ``model`` is not a module.

    >>> strip(nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5)))
    Sequential(
      (0): Linear(in_features=2, out_features=2, bias=True)
      (1): Identity()
    )
    """
    check_instance("model", model, nn.Module, "a torch.nn.Module")
    stripped = _without(copy.deepcopy(model), {}).eval()
    forward: Any = functools.partial(_forward, stripped)  # a form that exporters know
    forward.__signature__ = inspect.signature(stripped.forward)
    stripped.forward = forward
    return stripped


def _without(module: nn.Module, made: dict[int, nn.Module]) -> nn.Module:
    if id(module) in made:
        return made[id(module)]
    made[id(module)] = result = _replacement(module)
    if result is not module:
        return _without(result, made)
    for hooks in (module._forward_hooks, module._forward_pre_hooks):
        for number, hook in list(hooks.items()):
            if isinstance(getattr(hook, "__self__", None), InsertedDropout):
                del hooks[number]
    for held in [] if isinstance(module, LSTM | GRU) else held_rates(module):  # zoneout acts at inference too
        setattr(held.owner, held.attribute, 0.0)
    for name, child in list(module._modules.items()):
        if child is not None:
            module._modules[name] = _without(child, made)
    return module


def _replacement(module: nn.Module) -> nn.Module:
    """What stands in the place of ``module``; itself if it stays, its rates set to 0."""
    if isinstance(module, MultiSampleDropout):
        return module.head
    if isinstance(module, ConcreteDropout):
        return module.layer
    if isinstance(module, _KEPT):
        if isinstance(module, nn.MultiheadAttention | nn.RNNBase):
            module.dropout = 0.0
        else:
            module.p = 0.0
        if isinstance(module, LSTM | GRU):
            for name in _OWN_RATES:
                setattr(module, name, 0.0)
        return module
    if isinstance(module, Dropout) and module.form == "classic":
        return module  # it scales at inference
    drops = isinstance(module, RatedModule | GroupedDropout) or dropout_kind(module) is not None
    if not drops or sole_rate(module) is not None:  # of another's making: it may take more than a tensor
        return module
    identity = nn.Identity()
    identity.__dict__["p"] = 0.0  # read by those who drop elsewhere at this rate, in scaled_dot_product_attention say
    return identity


class _NoDropout(TorchFunctionMode):
    """Dropout functions give back their input."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func in _FUNCTIONS:
            return args[0] if args else (kwargs or {})["input"]
        return func(*args, **(kwargs or {}))


def _forward(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
    """The forward of a stripped module: its own, with dropout functions switched off for whoever traces it."""
    own = type(module).forward
    if torch.compiler.is_compiling() or torch._C._get_tracing_state() is not None:
        with _NoDropout():
            return own(module, *args, **kwargs)
    return own(module, *args, **kwargs)
