"""Which layers and functions a live torch model runs, in which order, and which tensors pass between them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.fx
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from sukima.auditing.readers.torch_modules import facts_of, spec_of
from sukima.auditing.source.functions import FUNCTIONS, mode_spec
from sukima.base.errors import InputError
from sukima.records.model_view import Kind, ModelView, Operation

__all__ = ["Recorder"]

_METHODS: dict[str, Kind] = {
    "view": "shape",
    "reshape": "shape",
    "flatten": "flatten",
    "permute": "shape",
    "transpose": "shape",
    "contiguous": "shape",
    "squeeze": "shape",
    "unsqueeze": "shape",
    "softmax": "softmax",
    "log_softmax": "softmax",
    "sigmoid": "sigmoid",
    "relu": "activation",
    "tanh": "activation",
    "mean": "pool",
    "add": "join",
    "mul": "join",
    "__add__": "join",
    "__mul__": "join",
    "__truediv__": "arithmetic",
    "matmul": "matmul",
    "__matmul__": "matmul",
    "__getitem__": "shape",
    "size": "other",
    "to": "identity",
    "float": "identity",
}


class Recorder(TorchFunctionMode):
    """Notes calls of layers and functions, and which tensors pass between them."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.names = {module: name for name, module in model.named_modules()}
        self.operations: list[Operation] = []
        self.makers: dict[int, int] = {}
        self.kept: list[Any] = []
        self.inside = 0
        self.outputs: frozenset[int] = frozenset()
        self.forced: list[Operation] = []
        self.called: set[str] = set()

    # ── one real pass ───────────────────────────────────────────────────────────────────────────────────────────
    def run(self, example: Any) -> bool:
        """One pass with a real input."""
        arguments = example if isinstance(example, tuple) else (example,)
        hooks = []
        for module in self.model.modules():
            if spec_of(module) is not None:
                hooks.append(module.register_forward_pre_hook(self._enter))
                hooks.append(module.register_forward_hook(self._leave, with_kwargs=True, always_call=True))
        try:
            for tensor in _tensors(arguments):
                self.note("input", "", frozenset(), tensor)
            with self:
                result = self.model(*arguments)
        except Exception as error:
            raise InputError(
                "example_input must be something the model accepts, got {reason}",
                reason=f"{type(error).__name__}: {error}",
            ) from error
        finally:
            for hook in hooks:
                hook.remove()
        self.outputs = self._inputs(result)
        return True

    def _enter(self, _module: nn.Module, _arguments: Any) -> None:
        self.inside += 1

    def _leave(self, module: nn.Module, arguments: Any, keywords: Any, result: Any) -> None:
        self.inside -= 1
        if self.inside == 0:
            self.layer(module, self._inputs((arguments, keywords)), result)

    def __torch_function__(self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        self.inside += 1
        try:
            result = func(*args, **kwargs)
        finally:
            self.inside -= 1
        if self.inside == 0 and any(True for _ in _tensors(result)):
            self._function(func, args, kwargs, self._inputs((args, kwargs)), result)
        return result

    def _inputs(self, values: Any) -> frozenset[int]:
        return frozenset(self.makers[id(t)] for t in _tensors(values) if id(t) in self.makers)

    # ── symbolic tracing ────────────────────────────────────────────────────────────────────────────────────────
    def trace(self) -> bool:
        """A symbolic pass; false where the model cannot be traced."""
        try:
            graph = torch.fx.Tracer().trace(self.model)
        except Exception:
            # Control flow that depends on data, unusual arguments: tracing may fail in any way; no order is known then.
            return False
        modules = dict(self.model.named_modules())
        made: dict[Any, int] = {}
        for node in graph.nodes:
            inputs = frozenset(made[n] for n in node.all_input_nodes if n in made)
            if node.op == "placeholder":
                made[node] = self.note("input", str(node.target), inputs, None).index
            elif node.op == "call_module":
                made[node] = self.layer(modules[str(node.target)], inputs, None).index
            elif node.op in {"call_function", "call_method"}:
                made[node] = self._function(node.target, node.args, node.kwargs, inputs, None).index
            elif node.op == "output":
                self.outputs = inputs
        return True

    # ── what both note ──────────────────────────────────────────────────────────────────────────────────────────
    def note(self, kind: Kind, name: str, inputs: frozenset[int], result: Any, **more: Any) -> Operation:
        """Add an operation, and remember which tensors it made."""
        operation = Operation(len(self.operations), kind, name=name, inputs=inputs, **more)
        self.operations.append(operation)
        for tensor in _tensors(result):
            self.makers[id(tensor)] = operation.index
            self.kept.append(tensor)
        return operation

    def layer(self, module: nn.Module, inputs: frozenset[int], result: Any) -> Operation:
        """Add the application of a module."""
        spec = spec_of(module)
        site = self.names.get(module, "")
        self.called.add(site)
        operation = self.note(
            spec.kind if spec else "other", type(module).__name__, inputs, result, **facts_of(module, spec)
        )
        operation.site = site
        return operation

    def _function(self, func: Any, args: Any, kwargs: Any, inputs: frozenset[int], result: Any) -> Operation:
        name = func if isinstance(func, str) else getattr(func, "__name__", "")
        dotted = f"torch.nn.functional.{name}"
        kind: Kind = FUNCTIONS.get(dotted) or FUNCTIONS.get(f"torch.{name}") or _METHODS.get(name, "other")
        if func in {operator.add, operator.iadd, operator.mul}:
            kind = "join"
        spec = mode_spec(dotted)
        rate = None
        if spec is not None and kind in {"dropout", "channel_dropout"}:
            given = kwargs.get("p", args[1] if len(args) > 1 else 0.5)
            rate = float(given) if isinstance(given, int | float) else None
        operation = self.note(kind, name, inputs, result, rate=rate)
        if (
            spec is not None
            and kwargs.get("training", args[2] if len(args) > 2 else spec.default) is True
            and rate != 0
        ):
            self.forced.append(operation)
        return operation

    def view(self, traced: bool) -> ModelView:
        """What was seen, as the rules want it."""
        view = ModelView(self.operations, self.outputs, type(self.model).__name__, "torch", whole=traced)
        view.extras["live"] = True
        view.extras["forced"] = self.forced
        if traced:
            view.extras["unused"] = [
                name
                for name, module in self.model.named_modules()
                if name not in self.called
                and (spec := spec_of(module)) is not None
                and spec.kind in {"dropout", "channel_dropout"}
            ]
        return view


def _tensors(value: Any, depth: int = 5) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif depth and isinstance(value, list | tuple):
        for item in value:
            yield from _tensors(item, depth - 1)
    elif depth and isinstance(value, dict):
        for item in value.values():
            yield from _tensors(item, depth - 1)
