"""Calls of methods of tensors, lists and layers."""

from __future__ import annotations

import ast

from sukima.auditing.source.state import State
from sukima.auditing.source.values import (
    UNKNOWN,
    Bound,
    Const,
    Env,
    Instance,
    Items,
    LayerValue,
    Tensor,
    Value,
    options,
)
from sukima.auditing.source.words import words
from sukima.records.model_view import Kind

__all__ = ["ApplyingMethods"]

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


class ApplyingMethods(State):
    """Methods."""

    def apply_method(
        self, bound: Bound, args: list[Value], keywords: dict[str, Value], node: ast.AST, env: Env
    ) -> Value:
        """A call of a method of a tensor, a list or a layer."""
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
            return self.apply(value, args, keywords, node, env) if name in {"call", "forward"} else UNKNOWN
        if isinstance(value, Instance) and name in {"add_module", "register_module"} and len(args) == 2:
            key = args[0]
            if isinstance(key, Const) and isinstance(key.value, str):
                value.attributes[key.value] = args[1]
            return UNKNOWN
        return self.opaque(args, keywords, node, env)

    def _items_method(self, items: Items, name: str, args: list[Value]) -> Value:
        if name == "insert" and len(args) == 2 and isinstance(args[0], Const) and isinstance(args[0].value, int):
            items.insert(args[0].value, args[1])
            return UNKNOWN
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
