"""Whether a place in the source is reached in training only."""

from __future__ import annotations

import ast

from sukima.auditing.source.intent import mentions_mode, name_of
from sukima.auditing.source.names import Function, Module

__all__ = ["is_gated"]

_CONDITIONS = frozenset({"cond", "smart_cond", "in_train_phase", "switch", "where"})


def is_gated(module: Module, node: ast.AST) -> bool:
    """Whether a condition on the mode decides if ``node`` is reached, around it or by an earlier return."""
    at: ast.AST = node
    for around in module.ancestors(node):
        if _condition(module, around, at):
            return True
        if isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef):
            if _returns_early(module, around, node) or _only_trains(around.name) or _is_branch(module, around):
                return True
            break
        at = around
    return False


def _condition(module: Module, around: ast.AST, at: ast.AST) -> bool:
    if isinstance(around, ast.If | ast.IfExp | ast.While) and at is not around.test:
        return mentions_mode(module, around.test)
    if isinstance(around, ast.Call) and at in around.args[1:]:
        return name_of(around.func) in _CONDITIONS and mentions_mode(module, around.args[0])
    if isinstance(around, ast.BoolOp):
        before = around.values[: around.values.index(at)] if at in around.values else []
        return any(mentions_mode(module, value) for value in before)
    return False


def _returns_early(module: Module, function: Function, node: ast.AST) -> bool:
    line = getattr(node, "lineno", 0)
    for statement in module.below(function):
        if not isinstance(statement, ast.If) or (statement.end_lineno or 0) >= line:
            continue
        leaves = any(isinstance(s, ast.Return | ast.Raise | ast.Continue) for s in statement.body)
        if leaves and mentions_mode(module, statement.test):
            return True
    return False


def _is_branch(module: Module, function: Function) -> bool:
    """Whether a function within another is given, by its name, to ``cond(training, …)`` there."""
    outer = module.function_of(function)
    return outer is not None and any(
        isinstance(call, ast.Call)
        and name_of(call.func) in _CONDITIONS
        and any(isinstance(a, ast.Name) and a.id == function.name for a in call.args[1:])
        and mentions_mode(module, call.args[0])
        for call in module.below(outer)
    )


def _only_trains(name: str) -> bool:
    return name.startswith(("train", "_train", "training_step", "fit")) and "test" not in name
