"""Reading live torch modules.

With an example input one pass is made in inference mode, and every layer and function call is noted with the tensors
that link them. Without one, ``torch.fx`` traces symbolically; where it cannot, only ``Sequential`` tells an order.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from sukima.auditing.readers.torch_modules import drops
from sukima.auditing.readers.torch_recording import Recorder
from sukima.base.errors import InputError
from sukima.records.model_view import ModelView

__all__ = ["read_model"]


def read_model(model: nn.Module, example: Any = None) -> list[ModelView]:
    """The views of a module: the traced whole, or its ``Sequential`` parts."""
    if not isinstance(model, nn.Module):
        raise InputError("target must be a torch.nn.Module, got {value}", value=type(model).__name__)
    recorder = Recorder(model)
    with _inference(model):
        traced = recorder.run(example) if example is not None else recorder.trace()
    view = recorder.view(traced)
    view.extras["unreachable"] = list(_unreachable(model))
    views = [view]
    if not traced:
        views += [_chain(model, name, part) for name, part in model.named_modules() if isinstance(part, nn.Sequential)]
    return views


@contextmanager
def _inference(model: nn.Module) -> Iterator[None]:
    """Inference mode without gradients, and afterwards every mode and the random state as before.

    One thread does for the one small pass; waking several for each of a thousand layers takes longer than the layers.
    """
    modes = [(module, module.training) for module in model.modules()]
    state, threads = torch.random.get_rng_state(), torch.get_num_threads()
    torch.set_num_threads(1)
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        torch.set_num_threads(threads)
        torch.random.set_rng_state(state)
        for module, mode in modes:
            module.training = mode


def _chain(model: nn.Module, name: str, part: nn.Sequential) -> ModelView:
    """A ``Sequential`` as a view of its own; layers within modules that are not sequential break the chain."""
    recorder = Recorder(model)
    last = recorder.note("input", "", frozenset(), None).index
    for child in part:
        last = recorder.layer(child, frozenset({last}), None).index
    recorder.outputs = frozenset({last})
    view = recorder.view(traced=False)
    view.whole = part is model
    view.extras["live"] = part is model
    view.extras["forced"] = []
    view.name = name
    return view


def _unreachable(model: nn.Module) -> Iterator[str]:
    """Modules with dropout in plain lists, tuples and dicts, which ``eval()`` does not reach."""
    held = set(model.modules())
    for name, module in model.named_modules():
        for attribute, value in vars(module).items():
            if attribute.startswith("_") or not isinstance(value, list | tuple | dict):
                continue
            for item in value.values() if isinstance(value, dict) else value:
                if isinstance(item, nn.Module) and item not in held and drops(item):
                    yield f"{name}.{attribute}" if name else attribute
                    break
