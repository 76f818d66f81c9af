"""Following calls: layers applied to tensors, containers, functions and classes of the project."""

from __future__ import annotations

import ast
import re

from sukima.auditing.source.catalogue import FUNCTIONS, mode_spec
from sukima.auditing.source.project import ClassInfo
from sukima.auditing.source.state import State, layer_spec
from sukima.auditing.source.values import (
    UNKNOWN,
    Arguments,
    Bound,
    Callable,
    Choice,
    Const,
    Env,
    GraphModel,
    Instance,
    Items,
    LayerValue,
    Ref,
    Symbol,
    Tensor,
    Unknown,
    Value,
    argument,
    joined,
    named,
    options,
)
from sukima.auditing.source.words import words
from sukima.records.model_view import Kind

__all__ = ["Applying"]

_CONTAINERS: dict[str, str] = {
    "torch.nn.Sequential": "sequential",
    "keras.Sequential": "sequential",
    "torch.nn.ModuleList": "modulelist",
    "torch.nn.ModuleDict": "moduledict",
    "torch.nn.ParameterList": "modulelist",
}
_SAME_TENSOR = frozenset(
    words(
        """
        to cuda cpu float double half bfloat16 type contiguous clone detach requires_grad_ type_as long
        int
        """
    )
)
_SHAPE = frozenset(
    words(
        """
        view reshape transpose permute squeeze unsqueeze expand expand_as repeat t swapaxes movedim
        narrow chunk split unbind select gather index_select rearrange masked_fill masked_fill_ unfold
        roll flip repeat_interleave
        """
    )
)
_METHODS: dict[str, Kind] = {
    **dict.fromkeys(_SHAPE, "shape"),
    "flatten": "flatten",
    "softmax": "softmax",
    "log_softmax": "softmax",
    "sigmoid": "sigmoid",
    "sigmoid_": "sigmoid",
    "relu": "activation",
    "relu_": "activation",
    "tanh": "activation",
    **dict.fromkeys(("mean", "sum", "max", "amax"), "pool"),
    **dict.fromkeys(("matmul", "bmm", "mm", "__matmul__"), "matmul"),
    **dict.fromkeys(("add", "add_", "mul", "mul_"), "join"),
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


_MAKING = re.compile(r"\bnn\.[A-Z]|[lL]ayer|Dropout|Dense|Linear|Sequential|ModuleList|Conv|Block|Module|Norm")
_NESTED = 1  # How many modules within modules are followed; deeper ones are opaque.


class Applying(State):
    """Calls."""

    def apply(self, callee: Value, args: list[Value], keywords: dict[str, Value], node: ast.AST, env: Env) -> Value:
        """The result of a call."""
        self.step()
        if isinstance(callee, Choice):
            result: Value | None = None
            for one in callee.values:
                if isinstance(one, Const):
                    continue
                value = self.apply(one, args, keywords, node, env)
                result = value if result is None else joined(result, value)
            return result or UNKNOWN
        if isinstance(callee, LayerValue):
            return self._apply_layer(callee, args, keywords, node, env)
        if isinstance(callee, Ref):
            return self._apply_ref(callee.dotted, args, keywords, node, env)
        if isinstance(callee, Callable):
            return self._apply_function(callee, args, keywords, node, env)
        if isinstance(callee, Instance):
            return self._apply_instance(callee, args, keywords, node, env)
        if isinstance(callee, Items) and callee.kind == "sequential":
            return self._apply_sequential(callee, args, node, env)
        if isinstance(callee, Bound):
            return self._apply_bound(callee, args, keywords, node, env)
        return self._opaque(args, keywords, node, env)

    def _opaque(
        self, args: list[Value], keywords: dict[str, Value], node: ast.AST, env: Env, kind: Kind = "other"
    ) -> Value:
        inputs = self.tensors([*args, *keywords.values()])
        return self.emit(kind, node, env.module, inputs) if inputs else UNKNOWN

    def tensors(self, values: list[Value], depth: int = 3) -> frozenset[int]:
        """The operations behind some values, those in lists included."""
        found: set[int] = set()
        for value in values:
            for one in options(value):
                if isinstance(one, Tensor):
                    found |= one.ops
                elif isinstance(one, Items) and depth:
                    found |= self.tensors([item for _, item in one.pairs], depth - 1)
        return frozenset(found)

    # ── layers ──────────────────────────────────────────────────────────────────────────────────────────────────
    def _apply_layer(
        self, layer: LayerValue, args: list[Value], keywords: dict[str, Value], node: ast.AST, env: Env
    ) -> Value:
        inputs = self.tensors([*args, *keywords.values()])
        if not inputs:
            return UNKNOWN
        spec = layer.spec
        rate, rate_text = number(layer.argument(spec.rate))
        width, width_text = number(layer.argument(spec.width))
        fan_in, _ = number(layer.arguments.get(spec.fan_in)) if spec.fan_in is not None else (None, "")
        if layer.spec.framework == "keras":
            self.keras_calls += 1
        at, module = (node, env.module) if layer.site is None else (layer.node, layer.module)
        result = self.emit(
            _activated(layer),
            at,
            module,
            inputs,
            name=layer.dotted.rpartition(".")[2],
            site=layer.site,
            rate=rate,
            rate_text=rate_text,
            width=int(width) if width is not None and width == int(width) else None,
            width_text=width_text,
            fan_in=int(fan_in) if fan_in is not None and fan_in == int(fan_in) else None,
            rank=spec.rank,
            squashed=_squashes(layer),
        )
        if spec.kind == "recurrent" and spec.framework == "torch":
            return Items("tuple", [("0", result), ("1", result)])
        if spec.kind == "attention" and layer.dotted.endswith("MultiheadAttention"):
            return Items("tuple", [("0", result), ("1", result)])
        self.used -= result.ops
        return result

    def _apply_sequential(self, items: Items, args: list[Value], node: ast.AST, env: Env) -> Value:
        current: list[Value] = list(args)
        for key, item in items.pairs:
            for one in options(item):
                if isinstance(one, LayerValue | Instance) and one.site is None:
                    one.site = f"{items.site}.{key}" if items.site else key
            if isinstance(item, Unknown | Symbol):
                current = [self._opaque(current, {}, node, env)]
                continue
            current = [self.apply(item, current, {}, node, env)]
        return current[0] if current else UNKNOWN

    # ── names of libraries ──────────────────────────────────────────────────────────────────────────────────────
    def _apply_ref(self, dotted: str, args: list[Value], keywords: dict[str, Value], node: ast.AST, env: Env) -> Value:
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
            return self._opaque(args, keywords, node, env)
        module, target = found
        if isinstance(target, ast.ClassDef):
            info = self.project.info(target, module)
            if len(self.running) > 8:
                return UNKNOWN
            return Instance(info, named(args, keywords), node=node)
        if isinstance(target, ast.FunctionDef | ast.AsyncFunctionDef):
            return self._apply_function(Callable(target, module), args, keywords, node, env)
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
            rate, text = (0.5, "") if given is None else number(given)
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
        return self._opaque(args, {}, node, env)

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

    # ── methods ─────────────────────────────────────────────────────────────────────────────────────────────────
    def _apply_bound(
        self, bound: Bound, args: list[Value], keywords: dict[str, Value], node: ast.AST, env: Env
    ) -> Value:
        value, name = bound.value, bound.name
        if isinstance(value, Tensor):
            if name in _SAME_TENSOR:
                return value
            if name in {"size", "dim", "shape", "numel", "item", "stride"}:
                return UNKNOWN
            return self.emit(
                _METHODS.get(name, "other"), node, env.module, value.ops | self.tensors([*args, *keywords.values()])
            )
        if isinstance(value, Items):
            return self._items_method(value, name, args)
        if isinstance(value, LayerValue):
            if name in {"to", "cuda", "cpu", "float", "half", "train", "eval", "apply", "requires_grad_", "double"}:
                return value
            return self._apply_layer(value, args, keywords, node, env) if name in {"call", "forward"} else UNKNOWN
        if isinstance(value, Instance) and name in {"add_module", "register_module"} and len(args) == 2:
            key = args[0]
            if isinstance(key, Const) and isinstance(key.value, str):
                value.attributes[key.value] = args[1]
            return UNKNOWN
        return self._opaque(args, keywords, node, env)

    def _items_method(self, items: Items, name: str, args: list[Value]) -> Value:
        if name in {"append", "add", "insert", "add_module", "register_module"} and args:
            key = args[0] if name.endswith("module") else None
            items.add(args[-1], str(key.value) if isinstance(key, Const) else None)
            for one in options(args[-1]):
                if isinstance(one, LayerValue | Instance) and one.site is None and items.site:
                    one.site = f"{items.site}.{items.pairs[-1][0]}"
            return items if name == "append" else UNKNOWN
        if name in {"extend", "update"} and args:
            inner = next((v for v in options(args[0]) if isinstance(v, Items)), None)
            items.complete = items.complete and inner is not None
            items.extend(inner.pairs if inner else [], named=items.kind in {"dict", "moduledict"})
            return items
        if name == "items":
            return Items("list", [("0", Items("tuple", [("0", Const(k)), ("1", v)])) for k, v in items.pairs])
        if name in {"values", "children", "modules"}:
            return Items("list", list(items.pairs))
        if name in {"to", "cuda", "cpu", "float", "double", "half", "train", "eval", "apply", "requires_grad_"}:
            return items
        if name == "compile":
            self.compiled.add(id(items))
        if name == "pop":
            return items.pairs.pop()[1] if items.pairs else UNKNOWN
        if name == "get" and args and isinstance(args[0], Const):
            return next((v for k, v in items.pairs if k == str(args[0].value)), UNKNOWN)
        return UNKNOWN

    # ── functions and classes of the project ────────────────────────────────────────────────────────────────────
    def _apply_function(
        self, function: Callable, args: list[Value], keywords: dict[str, Value], node: ast.AST, env: Env
    ) -> Value:
        owner = function.owner
        inner = Env(
            function.module, {}, function.env, owner or (function.env.owner if function.env else None), function.home
        )
        if not self.tensors([*args, *keywords.values()]) and not self._makes_layers(function):
            return UNKNOWN
        bound = owner is not None and function.env is None
        given = [owner, *args] if owner is not None and bound else list(args)
        self.bind(function.node.args, given, keywords, inner)
        return self.run_body(function.node, inner)

    def _makes_layers(self, function: Callable) -> bool:
        """Whether a function that is given no tensor is worth following: it may make layers or pass some on."""
        if len(self.running) > 5:
            return False
        node = function.node
        lines = function.module.source.lines[node.lineno - 1 : node.end_lineno]
        return any(_MAKING.search(line) for line in lines)

    def bind(self, a: ast.arguments, args: list[Value], keywords: dict[str, Value], env: Env) -> None:
        """Bind parameters to arguments, defaults, or symbols."""
        positional = [*a.posonlyargs, *a.args]
        defaults: list[ast.expr | None] = [*([None] * (len(positional) - len(a.defaults))), *a.defaults]
        for at, (parameter, default) in enumerate(zip(positional, defaults, strict=True)):
            if at < len(args):
                env.names[parameter.arg] = args[at]
            else:
                env.names[parameter.arg] = self._given(parameter, default, keywords, env)
        for parameter, default in zip(a.kwonlyargs, a.kw_defaults, strict=True):
            env.names[parameter.arg] = self._given(parameter, default, keywords, env)
        if a.vararg:
            rest = args[len(positional) :]
            env.names[a.vararg.arg] = Items("tuple", [(str(i), v) for i, v in enumerate(rest)])
        if a.kwarg:
            names = {p.arg for p in (*positional, *a.kwonlyargs)}
            env.names[a.kwarg.arg] = Items(
                "dict", [(k, v) for k, v in keywords.items() if k not in names], complete=False
            )

    def _given(self, parameter: ast.arg, default: ast.expr | None, keywords: dict[str, Value], env: Env) -> Value:
        if parameter.arg in keywords:
            return keywords[parameter.arg]
        if isinstance(default, ast.Constant):
            return Const(default.value, parameter.arg)
        if default is not None:
            value = self.evaluate(default, Env(env.module))
            if isinstance(value, Const):
                return Const(value.value, parameter.arg)
            if isinstance(value, Ref):
                return value
        return Symbol(parameter.arg)

    def _apply_instance(
        self, made: Instance, args: list[Value], keywords: dict[str, Value], node: ast.AST, env: Env
    ) -> Value:
        forward = made.cls.forward
        home = made.cls.home(forward.name) if forward else None
        if forward is None or home is None or len(self.owners) >= _NESTED or self.steps > self.limit // 2:
            return self._opaque(args, keywords, node, env)
        self.settle(made)
        inner = Env(home.module, {}, None, made, home)
        self.bind(forward.args, [made, *args], keywords, inner)
        self.owners.append(made.site or made.cls.name)
        try:
            return self.run_body(forward, inner)
        finally:
            self.owners.pop()

    def settle(self, made: Instance) -> None:
        """Follow the constructor of an object that something is now asked of."""
        if made.pending is not None:
            arguments, made.pending = made.pending, None
            if made.cls.framework is not None or made.cls.forward is not None:
                self.initialise(made, arguments)

    def initialise(self, made: Instance, arguments: Arguments) -> None:
        """Follow the constructor of an object, and what builds its layers later."""
        home = made.cls.home("__init__")
        if home is not None:
            self.initialise_from(made, home, arguments)
        for later in ("build", "configure_model", "setup") if home is not None or made.cls.framework else ():
            where = made.cls.home(later)
            if where is not None and where.methods[later] not in self.running:
                env = Env(where.module, {}, None, made, where)
                self.bind(where.methods[later].args, [made], {}, env)
                self.run_body(where.methods[later], env)

    def initialise_from(self, made: Instance, home: object, arguments: Arguments) -> None:
        """Follow the constructor that ``home`` defines."""
        assert isinstance(home, ClassInfo)
        init = home.methods["__init__"]
        if made.cls.node is not home.node and not self._makes_layers(Callable(init, home.module)):
            return
        positional = [made, *(arguments[k] for k in sorted(k for k in arguments if isinstance(k, int)))]
        keywords = {k: v for k, v in arguments.items() if isinstance(k, str)}
        env = Env(home.module, {}, None, made, home)
        self.bind(init.args, positional, keywords, env)
        self.run_body(init, env)


def number(value: Value | None) -> tuple[float | None, str]:
    """A known number, and the name it goes by."""
    if isinstance(value, Choice):
        numbers = [number(v) for v in value.values]
        known = [n for n in numbers if n[0] is not None]
        return known[0] if len(known) == 1 else (None, numbers[0][1])
    if isinstance(value, Const):
        if isinstance(value.value, int | float) and not isinstance(value.value, bool):
            return float(value.value), value.name
        return None, value.name
    if isinstance(value, Symbol):
        return None, value.text
    if isinstance(value, Ref):
        return None, value.dotted
    return None, ""


def _activation(layer: LayerValue) -> str:
    node = argument(layer.node, 0 if layer.dotted == "keras.layers.Activation" else None, ("activation",))
    if node is None and layer.dotted == "keras.layers.Dense":
        node = argument(layer.node, 1, ())
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Attribute | ast.Name):
        return node.attr if isinstance(node, ast.Attribute) else node.id
    return ""


def _squashes(layer: LayerValue) -> bool:
    return layer.spec.framework == "keras" and _activation(layer) in {"softmax", "sigmoid", "log_softmax"}


def _activated(layer: LayerValue) -> Kind:
    if layer.dotted == "keras.layers.Activation":
        name = _activation(layer)
        return "softmax" if "softmax" in name else "sigmoid" if name == "sigmoid" else "activation"
    return layer.spec.kind
