"""The true order of execution: one forward pass on an example, in inference mode, that records what ran."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules import activation
from torch.overrides import TorchFunctionMode

from sukima.torch.layers import dropout_kind, is_activation, is_batch_norm, is_weight_layer
from sukima.torch.modes import evaluating

__all__ = ["Step", "functional_dropout", "registered_order", "trace"]

# The functions that torch has a module for (``leaky_relu`` for ``LeakyReLU``); softmax and its kin end a network.
_ACTIVATION_FUNCTIONS = frozenset(
    name
    for name in dir(functional)
    if name.replace("_", "") in {cls.lower() for cls in activation.__all__}
    and not name.endswith(("softmax", "softmin"))
)
_MIXING_FUNCTIONS = frozenset(name for name in dir(functional) if name.startswith("conv")) | {
    *("linear", "bilinear", "matmul", "mm", "bmm", "addmm", "baddbmm", "einsum", "__matmul__", "__rmatmul__")
}
_DROPOUT_FUNCTIONS = frozenset(name for name in dir(functional) if "dropout" in name and not name.startswith("_"))


@dataclass(frozen=True)
class Step:
    """One thing that ran: a module of interest, or (``module is None``) a function: an activation, or one that
    ``mixes`` its input with a parameter as a weight layer does (the tied output layer of a language model, say)."""

    name: str
    module: nn.Module | None
    ndim: int = 0
    mixes: bool = False


def _matters(module: nn.Module) -> bool:
    return dropout_kind(module) is not None or is_activation(module) or is_batch_norm(module) or is_weight_layer(module)


def _modules_that_matter(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Named modules of interest, not looking into those that are of interest themselves (attention, say)."""
    inside: tuple[str, ...] = ()
    for name, module in model.named_modules():
        if any(name.startswith(f"{owner}.") for owner in inside):
            continue
        if _matters(module):
            inside += (name,)
            yield name, module


def registered_order(model: nn.Module) -> list[Step]:
    """The modules of interest in the order in which they were registered."""
    return [Step(name, module) for name, module in _modules_that_matter(model)]


class _Functions(TorchFunctionMode):
    """Notes activations that are called as functions outside the modules of interest."""

    def __init__(self, steps: list[Step], inside: list[str]) -> None:
        super().__init__()
        self._steps, self._inside = steps, inside
        self.dropout: list[str] = []

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        name = getattr(func, "__name__", "").rstrip("_")
        if self._inside or not isinstance(result, Tensor):
            return result
        if name in _DROPOUT_FUNCTIONS:
            self.dropout.append(name)
        elif name in _ACTIVATION_FUNCTIONS:
            self._steps.append(Step(name, None, result.ndim))
        elif name in _MIXING_FUNCTIONS and any(map(_is_weight, (*args, *(kwargs or {}).values()))):
            self._steps.append(Step(name, None, result.ndim, mixes=True))
        return result


def _is_weight(value: Any) -> bool:
    """Whether it is a parameter or a view of one (its transpose, say)."""
    return isinstance(value, nn.Parameter) or (isinstance(value, Tensor) and isinstance(value._base, nn.Parameter))


def trace(model: nn.Module, example: Tensor) -> list[Step]:
    """What ran, in order, when the model saw ``example``; modes, statistics and generators stay as they were."""
    return _traced(model, example)[0]


def functional_dropout(model: nn.Module, example: Tensor) -> list[str]:
    """The dropout functions that the model calls itself (``F.dropout``): no recipe can set their rates."""
    return _traced(model, example)[1]


def _traced(model: nn.Module, example: Tensor) -> tuple[list[Step], list[str]]:
    steps: list[Step] = []
    inside: list[str] = []
    with contextlib.ExitStack() as stack:
        for name, module in _modules_that_matter(model):

            def enter(_module: nn.Module, _args: Any, name: str = name) -> None:
                inside.append(name)

            def leave(module: nn.Module, _args: Any, output: Any, name: str = name) -> None:
                inside.pop()
                if not inside:
                    steps.append(Step(name, module, output.ndim if isinstance(output, Tensor) else 0))

            for handle in (module.register_forward_pre_hook(enter), module.register_forward_hook(leave)):
                stack.callback(handle.remove)
        stack.enter_context(torch.random.fork_rng())
        stack.enter_context(torch.no_grad())
        stack.enter_context(evaluating(model))
        with _Functions(steps, inside) as functions:
            model(example)
    return steps, functions.dropout
