"""Layers of the frameworks applied to tensors."""

from __future__ import annotations

import ast

from sukima.auditing.source.state import State
from sukima.auditing.source.values import (
    UNKNOWN,
    Choice,
    Const,
    Env,
    Instance,
    Items,
    LayerValue,
    Ref,
    Symbol,
    Unknown,
    Value,
    argument,
    options,
)
from sukima.records.model_view import Kind

__all__ = ["ApplyingLayers", "number_of_value"]


class ApplyingLayers(State):
    """Layers, and containers that run theirs one after the other."""

    def apply_layer(
        self, layer: LayerValue, args: list[Value], keywords: dict[str, Value], node: ast.AST, env: Env
    ) -> Value:
        """A layer applied to tensors."""
        inputs = self.tensors([*args, *keywords.values()])
        if not inputs:
            return UNKNOWN
        spec = layer.spec
        rate, rate_text = number_of_value(layer.argument(spec.rate))
        width, width_text = number_of_value(layer.argument(spec.width))
        fan_in, fan_in_text = (
            number_of_value(layer.arguments.get(spec.fan_in)) if spec.fan_in is not None else (None, "")
        )
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
            fan_in_text=fan_in_text,
            rank=spec.rank,
            squashed=_squashes(layer),
        )
        if spec.kind == "recurrent" and spec.framework == "torch":
            return Items("tuple", [("0", result), ("1", result)])
        if spec.kind == "attention" and layer.dotted.endswith("MultiheadAttention"):
            return Items("tuple", [("0", result), ("1", result)])
        self.used -= result.ops
        return result

    def apply_sequential(self, items: Items, args: list[Value], node: ast.AST, env: Env) -> Value:
        """A ``Sequential`` applied: its items one after the other."""
        current: list[Value] = list(args)
        for key, item in items.pairs:
            for one in options(item):
                if isinstance(one, LayerValue | Instance) and one.site is None:
                    one.site = f"{items.site}.{key}" if items.site else key
            if isinstance(item, Unknown | Symbol):
                current = [self.opaque(current, {}, node, env)]
                continue
            current = [self.apply(item, current, {}, node, env)]
        return current[0] if current else UNKNOWN


def number_of_value(value: Value | None) -> tuple[float | None, str]:
    """A known number, and the name it goes by."""
    if isinstance(value, Choice):
        numbers = [number_of_value(v) for v in value.values]
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
