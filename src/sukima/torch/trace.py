"""The true order of execution: one forward pass on an example, in inference mode, that records what ran."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules import activation
from torch.overrides import TorchFunctionMode

from sukima.torch.held import HeldRate, held_rates
from sukima.torch.layers import dropout_kind, has_weights, is_activation, is_batch_norm
from sukima.torch.modes import evaluating
from sukima.torch.recurrent import GRU, LSTM

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
    """One thing that ran: a module of interest, or (``module is None``) a function: an activation, dropout at a rate
    that a module has ``held``, or one that ``mixes`` its input with a parameter as a weight layer does (the tied
    output layer of a language model, say)."""

    name: str
    module: nn.Module | None
    ndim: int = 0
    mixes: bool = False
    held: HeldRate | None = None


def _matters(module: nn.Module) -> bool:
    return dropout_kind(module) is not None or is_activation(module) or is_batch_norm(module) or has_weights(module)


def _steps(model: nn.Module) -> Iterator[Step]:
    """Modules of interest, not looking into those that are of interest themselves (attention, say), and rates that
    modules hold, after what such a module consists of; those of our LSTM and GRU, which act on what goes in, before."""
    seen: set[int] = set()

    def within(module: nn.Module, name: str) -> Iterator[Step]:
        if id(module) in seen:
            return
        seen.add(id(module))
        ours = isinstance(module, LSTM | GRU)
        if ours:
            yield from rates(module, name)
        if _matters(module):
            yield Step(name, module)
        else:
            for child_name, child in module.named_children():
                yield from within(child, f"{name}.{child_name}" if name else child_name)
        if not ours and dropout_kind(module) is None:
            yield from rates(module, name)

    def rates(module: nn.Module, name: str) -> Iterator[Step]:
        for held in held_rates(module):
            if (place := hash((id(held.owner), held.attribute))) not in seen:  # a configuration is shared by many
                seen.add(place)
                yield Step(f"{name}.{held.path}" if name else held.path, None, held=held)

    yield from within(model, "")


def registered_order(model: nn.Module) -> list[Step]:
    """The modules of interest, and the rates that modules hold, in the order in which they were registered."""
    return list(_steps(model))


class _Named(float):
    """A rate that knows of which site it is, so that the function that is given it tells where that acts."""

    step: Step


@contextlib.contextmanager
def _named(steps: list[Step]) -> Iterator[None]:
    """Inside, the rates that modules hold know their sites."""
    held = [(step, getattr(step.held.owner, step.held.attribute)) for step in steps if step.held is not None]
    try:
        for step, rate in held:
            assert step.held is not None
            named = _Named(rate)
            named.step = step
            setattr(step.held.owner, step.held.attribute, named)
        yield
    finally:
        for step, rate in held:
            assert step.held is not None
            setattr(step.held.owner, step.held.attribute, rate)


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
            rate = (kwargs or {}).get("p", args[1] if len(args) > 1 else None)
            if isinstance(rate, _Named):
                self._steps.append(replace(rate.step, ndim=result.ndim))
            else:
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
    """The dropout functions that the model calls at a rate of its own (``F.dropout(x, 0.5)``): no recipe can set it."""
    return _traced(model, example)[1]


def _traced(model: nn.Module, example: Tensor) -> tuple[list[Step], list[str]]:
    steps: list[Step] = []
    inside: list[str] = []
    with contextlib.ExitStack() as stack:
        registered = registered_order(model)
        stack.enter_context(_named(registered))
        for name, module in ((step.name, step.module) for step in registered if step.module is not None):

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
