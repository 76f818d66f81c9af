"""Reading live torch modules.

With an example input one pass is made in inference mode, and every layer and function call is noted with the tensors
that link them. Without one, ``torch.fx`` traces symbolically; where it cannot, only ``Sequential`` tells an order.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.fx
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from sukima.auditing.source.catalogue import LAYERS
from sukima.auditing.source.functions import FUNCTIONS, mode_spec
from sukima.auditing.source.layer_specs import LayerSpec
from sukima.base.errors import InputError
from sukima.records.model_view import Kind, ModelView, Operation

__all__ = ["read_model"]

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


def read_model(model: nn.Module, example: Any = None) -> list[ModelView]:
    """The views of a module: the traced whole, or its ``Sequential`` parts."""
    if not isinstance(model, nn.Module):
        raise InputError("target must be a torch.nn.Module, got {value}", value=type(model).__name__)
    recorder = _Recorder(model)
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


def _spec(module: nn.Module) -> LayerSpec | None:
    for base in type(module).__mro__:
        home = (
            "timm.layers"
            if base.__name__ == "DropPath"
            else "torchvision.ops"
            if "torchvision" in base.__module__
            else "torch.nn"
        )
        if base.__name__ in {"Module", "object"}:
            return None
        spec = LAYERS.get(f"{home}.{base.__name__}")
        if spec is not None:
            return spec
    return None


class _Recorder(TorchFunctionMode):
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
        arguments = example if isinstance(example, tuple) else (example,)
        hooks = []
        for module in self.model.modules():
            if _spec(module) is not None:
                hooks.append(module.register_forward_pre_hook(self._enter))
                hooks.append(module.register_forward_hook(self._leave, with_kwargs=True, always_call=True))
        try:
            for tensor in _tensors(arguments):
                self._note("input", "", frozenset(), tensor)
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
            self._layer(module, self._inputs((arguments, keywords)), result)

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
                made[node] = self._note("input", str(node.target), inputs, None).index
            elif node.op == "call_module":
                made[node] = self._layer(modules[str(node.target)], inputs, None).index
            elif node.op in {"call_function", "call_method"}:
                made[node] = self._function(node.target, node.args, node.kwargs, inputs, None).index
            elif node.op == "output":
                self.outputs = inputs
        return True

    # ── what both note ──────────────────────────────────────────────────────────────────────────────────────────
    def _note(self, kind: Kind, name: str, inputs: frozenset[int], result: Any, **more: Any) -> Operation:
        operation = Operation(len(self.operations), kind, name=name, inputs=inputs, **more)
        self.operations.append(operation)
        for tensor in _tensors(result):
            self.makers[id(tensor)] = operation.index
            self.kept.append(tensor)
        return operation

    def _layer(self, module: nn.Module, inputs: frozenset[int], result: Any) -> Operation:
        spec = _spec(module)
        site = self.names.get(module, "")
        self.called.add(site)
        operation = self._note(
            spec.kind if spec else "other", type(module).__name__, inputs, result, **_facts(module, spec)
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
        operation = self._note(kind, name, inputs, result, rate=rate)
        if (
            spec is not None
            and kwargs.get("training", args[2] if len(args) > 2 else spec.default) is True
            and rate != 0
        ):
            self.forced.append(operation)
        return operation

    def view(self, traced: bool) -> ModelView:
        view = ModelView(self.operations, self.outputs, type(self.model).__name__, "torch", whole=traced)
        view.extras["live"] = True
        view.extras["forced"] = self.forced
        if traced:
            view.extras["unused"] = [
                name
                for name, module in self.model.named_modules()
                if name not in self.called
                and (spec := _spec(module)) is not None
                and spec.kind in {"dropout", "channel_dropout"}
            ]
        return view


def _facts(module: nn.Module, spec: LayerSpec | None) -> dict[str, Any]:
    """Rate, width and rank of a layer, by the attributes that torch gives it."""
    if spec is None:
        return {}
    facts: dict[str, Any] = {"rank": spec.rank}
    rate = getattr(module, "p", getattr(module, "drop_prob", None))
    if spec.kind == "recurrent":
        rate = getattr(module, "dropout", None)
        facts["fan_in"] = getattr(module, "num_layers", None)
    if spec.kind in {"dropout", "channel_dropout", "path_dropout", "recurrent"} and isinstance(rate, int | float):
        facts["rate"] = float(rate)
    for name in ("out_features", "out_channels", "embedding_dim", "hidden_size"):
        if isinstance(width := getattr(module, name, None), int):
            facts["width"] = width
    if spec.kind == "linear":
        facts["fan_in"] = getattr(module, "in_features", None)
    return facts


def _tensors(value: Any, depth: int = 5) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif depth and isinstance(value, list | tuple):
        for item in value:
            yield from _tensors(item, depth - 1)
    elif depth and isinstance(value, dict):
        for item in value.values():
            yield from _tensors(item, depth - 1)


def _chain(model: nn.Module, name: str, part: nn.Sequential) -> ModelView:
    """A ``Sequential`` as a view of its own; layers within modules that are not sequential break the chain."""
    recorder = _Recorder(model)
    last = recorder._note("input", "", frozenset(), None).index
    for child in part:
        last = recorder._layer(child, frozenset({last}), None).index
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
                if isinstance(item, nn.Module) and item not in held and _drops(item):
                    yield f"{name}.{attribute}" if name else attribute
                    break


def _drops(module: nn.Module) -> bool:
    return any((spec := _spec(part)) is not None and "dropout" in spec.kind for part in module.modules())
