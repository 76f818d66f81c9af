"""Calls of names from libraries: constructions of layers and containers, functions, builtins, Keras' graph models."""

from __future__ import annotations

import ast

from sukima.auditing.source.applied_layers import number_of_value
from sukima.auditing.source.functions import FUNCTIONS, mode_spec
from sukima.auditing.source.state import State, layer_spec
from sukima.auditing.source.values import (
    UNKNOWN,
    Callable,
    Const,
    Env,
    GraphModel,
    Instance,
    Items,
    LayerValue,
    Ref,
    Tensor,
    Unknown,
    Value,
    named,
    options,
)

__all__ = ["ApplyingNames"]

_CONTAINERS: dict[str, str] = {
    "torch.nn.Sequential": "sequential",
    "keras.Sequential": "sequential",
    "torch.nn.ModuleList": "modulelist",
    "torch.nn.ModuleDict": "moduledict",
    "torch.nn.ParameterList": "modulelist",
}
_PASSED_ON = frozenset(
    {
        "torch.utils.checkpoint.checkpoint",
        "torch.compile",
        "torch.jit.script",
        "keras.layers.TimeDistributed",
        "torch.nn.utils.weight_norm",
        "torch.nn.utils.spectral_norm",
        "torch.nn.DataParallel",
        "torch.nn.utils.parametrizations.weight_norm",
        "torch.nn.utils.parametrizations.spectral_norm",
    }
)


class ApplyingNames(State):
    """Names of libraries."""

    def apply_name(self, dotted: str, args: list[Value], keywords: dict[str, Value], node: ast.AST, env: Env) -> Value:
        """A call of a name from a library."""
        spec = layer_spec(dotted)
        if spec is not None and isinstance(node, ast.Call):
            arguments = named(args, keywords)
            if dotted in {"keras.layers.Bidirectional", "keras.layers.TimeDistributed"} and args:
                inner = args[0]
                return inner if isinstance(inner, LayerValue) else LayerValue(dotted, spec, node, env.module, arguments)
            return LayerValue(dotted, spec, node, env.module, arguments)
        if dotted in _CONTAINERS:
            return self._container(_CONTAINERS[dotted], args, keywords, node, env)
        if dotted in {"keras.Model", "keras.Functional"}:
            return self._graph_model(args, keywords, node, env)
        if dotted in {"keras.Input", "keras.layers.Input", "keras.layers.InputLayer"}:
            return self._input(keywords, args, node, env, dotted)
        if dotted in FUNCTIONS:
            return self._functional(dotted, args, keywords, node, env)
        if dotted.startswith("builtins.") or dotted in {"collections.OrderedDict", "OrderedDict"}:
            return self._builtin(dotted.rpartition(".")[2], args, node, env)
        if dotted in {"copy.deepcopy", "copy.copy", *_PASSED_ON} and args:
            return (
                args[0]
                if len(args) == 1 or not self.tensors(args[1:])
                else self.apply(args[0], args[1:], {}, node, env)
            )
        return self._project_call(dotted, args, keywords, node, env)

    def _project_call(
        self, dotted: str, args: list[Value], keywords: dict[str, Value], node: ast.AST, env: Env
    ) -> Value:
        found = self.project.find(dotted, env.module)
        if found is None:
            return self.opaque(args, keywords, node, env)
        module, target = found
        if isinstance(target, ast.ClassDef):
            info = self.project.info(target, module)
            if len(self.running) > 8:
                return UNKNOWN
            return Instance(info, named(args, keywords), node=node)
        if isinstance(target, ast.FunctionDef | ast.AsyncFunctionDef):
            return self.apply(Callable(target, module), args, keywords, node, env)
        return UNKNOWN

    def _functional(self, dotted: str, args: list[Value], keywords: dict[str, Value], node: ast.AST, env: Env) -> Value:
        kind = FUNCTIONS[dotted]
        inputs = self.tensors([*args, *keywords.values()])
        if not inputs:
            return UNKNOWN
        spec = mode_spec(dotted)
        rate: float | None = None
        text = ""
        if spec is not None:
            given = next((keywords[n] for n in spec.rate_names if n in keywords), None)
            if given is None and spec.rate < len(args):
                given = args[spec.rate]
            rate, text = (0.5, "") if given is None else number_of_value(given)
        if kind in {"pool", "linear"} and dotted.startswith("torch.nn.functional.") and kind == "linear":
            return self.emit(kind, node, env.module, inputs, name=dotted.rpartition(".")[2])
        result = self.emit(
            kind,
            node,
            env.module,
            inputs,
            name=dotted.rpartition(".")[2],
            rate=rate,
            rate_text=text,
        )
        self.used -= result.ops
        return result

    def _builtin(self, name: str, args: list[Value], node: ast.AST, env: Env) -> Value:
        first = args[0] if args else UNKNOWN
        if name in {"list", "tuple", "reversed", "iter", "sorted", "OrderedDict", "dict"}:
            return first if args else Items("dict" if name.endswith("ict") else "list")
        if name == "enumerate":
            return Items("list", [("0", Items("tuple", [("0", UNKNOWN), ("1", v)])) for v in self._each(first)])
        if name == "zip":
            columns = [self._each(a) for a in args]
            length = max((len(c) for c in columns), default=0)
            rows = [[c[min(i, len(c) - 1)] if c else UNKNOWN for c in columns] for i in range(length)]
            return Items("list", [("0", Items("tuple", [(str(j), v) for j, v in enumerate(r)])) for r in rows])
        if name in {"getattr"} and len(args) > 1 and isinstance(args[1], Const) and isinstance(first, Instance):
            return self.attribute(first, str(args[1].value), env, node)
        if name in {"print", "len", "isinstance", "range", "int", "float", "str", "bool", "setattr", "type", "hasattr"}:
            return UNKNOWN
        return self.opaque(args, {}, node, env)

    def _each(self, source: Value) -> list[Value]:
        for one in options(source):
            if isinstance(one, Items):
                return [v for _, v in one.pairs] or [UNKNOWN]
        return [source if isinstance(source, Tensor) else UNKNOWN]

    def _container(self, kind: str, args: list[Value], keywords: dict[str, Value], node: ast.AST, env: Env) -> Value:
        made = Items(kind, node=node, module=env.module)
        given = [*args, *(keywords[k] for k in ("layers", "modules") if k in keywords)]
        for value in given:
            one = next((v for v in options(value) if isinstance(v, Items) and v.kind != "sequential"), None)
            if one is None:
                made.add(value)
                made.complete = made.complete and not isinstance(value, Unknown)
                continue
            made.complete = made.complete and one.complete
            for key, item in one.pairs:
                if isinstance(item, Items) and item.kind == "tuple" and len(item.pairs) == 2:
                    label = item.pairs[0][1]
                    made.add(item.pairs[1][1], str(label.value) if isinstance(label, Const) else None)
                else:
                    made.add(item, key if one.kind == "dict" else None)
        if kind == "sequential":
            self.sequentials.append(made)
        return made

    # ── Keras' functional models ────────────────────────────────────────────────────────────────────────────────
    def _input(self, keywords: dict[str, Value], args: list[Value], node: ast.AST, env: Env, dotted: str) -> Value:
        if dotted.endswith("InputLayer"):
            return Ref("keras.layers.Identity")
        shape = keywords.get("shape", args[0] if args else UNKNOWN)
        rank = len(shape.pairs) + 1 if isinstance(shape, Items) and shape.complete else None
        self.keras_calls += 1
        return self.emit("input", node, env.module, rank=rank)

    def _graph_model(self, args: list[Value], keywords: dict[str, Value], node: ast.AST, env: Env) -> Value:
        outputs = keywords.get("outputs", args[1] if len(args) > 1 else UNKNOWN)
        found = self.tensors([outputs])
        if not found or not isinstance(node, ast.Call):
            return UNKNOWN
        self.used |= found
        made = GraphModel(found, node)
        self.graph_models.append(made)
        return made
