"""Keras models called under a GradientTape."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from sukima.auditing.source.content import Content, class_content
from sukima.auditing.source.context import Context
from sukima.auditing.source.intent import name_of

__all__ = ["calls_under_tape", "keras_content"]


def calls_under_tape(context: Context) -> Iterator[tuple[ast.Call, str]]:
    """Calls without ``training`` of a model whose own weights the tape's gradient is taken for."""
    module = context.module
    if "GradientTape" not in module.source.text:
        return
    for node in module.withs:
        if "GradientTape" not in ast.unparse(node.items[0].context_expr):
            continue
        function = module.function_of(node) or module.tree
        trained = {
            ast.unparse(n.value)
            for n in module.below(function)
            if isinstance(n, ast.Attribute) and n.attr in {"trainable_variables", "trainable_weights"}
        }
        for call in module.below(node):
            if not isinstance(call, ast.Call) or not call.args:
                continue
            name = ast.unparse(call.func) if isinstance(call.func, ast.Name | ast.Attribute) else ""
            if (
                name in trained
                and not _passes_elsewhere(module.below(function), name)
                and not any(k.arg is None or "train" in k.arg for k in call.keywords)
                and len(call.args) == 1
            ):
                yield call, name


def _passes_elsewhere(nodes: Iterable[ast.AST], name: str) -> bool:
    """Whether the same function also calls the model with ``training``, as where a model may not take it."""
    return any(
        isinstance(n, ast.Call)
        and isinstance(n.func, ast.Name | ast.Attribute)
        and ast.unparse(n.func) == name
        and any(k.arg == "training" for k in n.keywords)
        for n in nodes
    )


def keras_content(context: Context, name: str) -> Content:
    """What the Keras model under a name holds, if the file shows how it is made."""
    if name == "self":
        return "unknown"
    made = [
        (statement, statement.value)
        for statement in context.module.assignments
        if any(ast.unparse(t) == name for t in statement.targets)
    ]
    found: Content = "unknown"
    for statement, value in made:
        if not isinstance(value, ast.Call):
            continue
        dotted = context.module.dotted(value.func)
        info = context.project.class_at(dotted, context.module) if dotted else None
        if info is not None and info.framework == "keras":
            return class_content(info)
        function = context.project.function_at(dotted, context.module) if dotted else None
        if function is not None:
            return _content_of_text(ast.unparse(function[1]))
        if dotted == "keras.Sequential":
            return _content_of_text(ast.unparse(value) + _added(context, name))
        if dotted == "keras.Model":
            around = context.module.function_of(statement) or context.module.tree
            return _content_of_text(ast.unparse(around))
    return found


def _added(context: Context, name: str) -> str:
    calls = context.calls_by_name.get("add", [])
    return " ".join(
        ast.unparse(c) for c in calls if isinstance(c.func, ast.Attribute) and name_of(c.func.value) == name
    )


def _content_of_text(text: str) -> Content:
    if "Dropout(" in text or "dropout=" in text:
        return "dropout"
    return "norm" if "BatchNormalization(" in text else "none"
