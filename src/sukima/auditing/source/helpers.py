"""Questions about functions and their callers that several rules ask."""

from __future__ import annotations

import ast
import re

from sukima.auditing.source.classes import ClassInfo
from sukima.auditing.source.constants import constant_of, is_rate_name
from sukima.auditing.source.context import Context
from sukima.auditing.source.names import Function
from sukima.auditing.source.values import argument
from sukima.auditing.source.words import words

__all__ = [
    "FORWARDS",
    "calls_of",
    "in_keras_v1",
    "parameter_of",
    "reached_from_forward",
    "self_of",
    "switch_of_helper",
    "uses_attribute",
]

FORWARDS = frozenset({"forward", "call", "__call__"})


def self_of(context: Context, node: ast.AST) -> str | None:
    """The name of ``self`` where ``node`` stands in a method of a torch module and ``self.training`` can be written."""
    function = _method(context, node)
    owner = context.module.class_of(node)
    if function is None or owner is None or context.project.info(owner, context.module).framework != "torch":
        return None
    if any(isinstance(d, ast.Name) and d.id in {"staticmethod", "classmethod"} for d in function.decorator_list):
        return None
    return function.args.args[0].arg if function.args.args else None


def _method(context: Context, node: ast.AST) -> Function | None:
    """The outermost function around a node inside a class."""
    found: Function | None = None
    for around in context.module.ancestors(node):
        if isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef):
            found = around
        if isinstance(around, ast.ClassDef):
            return found
    return None


def reached_from_forward(context: Context, node: ast.AST, framework: str) -> bool:
    """Whether ``node`` runs in every pass: in ``forward``, or in a method or function that ``forward`` calls."""
    function = context.module.function_of(node)
    if function is None:
        return False
    owner = context.module.class_of(function)
    if owner is not None and context.module.parents.get(function) is owner:
        info = context.project.info(owner, context.module)
        if info.framework != framework:
            return False
        return function.name in FORWARDS or function.name in _called_by_forward(context, owner)
    return framework == "torch" and any(
        context.module.function_of(call) is not function and reached_from_forward_once(context, call)
        for call in calls_of(context, function)
    )


def reached_from_forward_once(context: Context, call: ast.Call) -> bool:
    """Whether a call stands directly in a torch module's ``forward``."""
    function = context.module.function_of(call)
    owner = context.module.class_of(call)
    if function is None or owner is None or function.name not in FORWARDS:
        return False
    return context.project.info(owner, context.module).framework == "torch"


def _called_by_forward(context: Context, owner: ast.ClassDef) -> set[str]:
    methods = {n.name: n for n in owner.body if isinstance(n, ast.FunctionDef)}
    found: set[str] = set()
    todo = [m for m in FORWARDS if m in methods] + [m for m in methods if m.startswith("forward_")]
    while todo:
        name = todo.pop()
        if name in found:
            continue
        found.add(name)
        for node in context.module.below(methods[name]):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
                parent = context.module.parents.get(node)
                called = isinstance(parent, ast.Call) and parent.func is node
                if called and node.attr in methods and node.attr not in {"__init__", "build"}:
                    todo.append(node.attr)
    return found


def calls_of(context: Context, function: Function) -> list[ast.Call]:
    """The calls of a function in its own file."""
    return context.calls_by_name.get(function.name, [])


def parameter_of(context: Context, node: ast.expr | None) -> tuple[Function, str] | None:
    """The function and parameter that an expression is."""
    if not isinstance(node, ast.Name):
        return None
    scope = context.module.scope_of(node)
    while scope is not None:
        if node.id in scope.names:
            binding = scope.names[node.id]
            if (
                len(binding) == 1
                and isinstance(binding[0], ast.arg)
                and isinstance(scope.node, ast.FunctionDef | ast.AsyncFunctionDef)
            ):
                return scope.node, node.id
            return None
        if scope.parent is None:
            return None
        scope = scope.parent
    return None


def switch_of_helper(context: Context, call: ast.Call) -> bool:
    """Whether a call of one of the project's own dropping helpers leaves out a switch that is false by default."""
    name = call.func.id if isinstance(call.func, ast.Name) else None
    if name is None or "drop" not in name.lower():
        return False
    dotted = context.module.dotted(call.func)
    found = context.project.function_at(dotted, context.module) if dotted else None
    if found is None:
        return False
    function = found[1]
    names = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
    switch = next((n for n in names if n in {"training", "is_training", "train"}), None)
    if switch is None or not _default_is_false(function, switch) or not any(map(is_rate_name, names)):
        return False
    rate = next(n for n in names if is_rate_name(n))
    given = argument(call, names.index(rate), (rate,))
    if given is None or constant_of(context.module, given) in (0, 0.0):
        return False
    return argument(call, names.index(switch), (switch,)) is None


def _default_is_false(function: Function, name: str) -> bool:
    positional = [*function.args.posonlyargs, *function.args.args]
    pairs = zip(positional[len(positional) - len(function.args.defaults) :], function.args.defaults, strict=True)
    return any(p.arg == name and isinstance(d, ast.Constant) and d.value is False for p, d in pairs)


_V1 = re.compile(
    r"tf\.(compat\.v1\.)?(placeholder|Session|disable_v2_behavior|disable_eager|variable_scope|get_variable|app\.flags)|"
    r"placeholders\[|dropout\([^)]*keep_prob\s*="
)


def in_keras_v1(context: Context) -> bool:
    """Whether the file is written for TensorFlow 1, where dropout is switched by what is fed."""
    return _V1.search(context.module.source.text) is not None


_CONFIGS = frozenset(
    words("config cfg args opt opts options hparams hp params conf FLAGS flags F nn layers keras tf torch")
)
_DYNAMIC = (
    "getattr(self",
    "self.__dict__",
    "self._modules",
    "self.children()",
    "self.modules()",
    "self.named_children()",
    "vars(self)",
    "self.named_modules()",
    "self.layers:",
    "in self.layers",
)


def uses_attribute(context: Context, info: ClassInfo, name: str) -> bool:
    """Whether anything reads ``self.<name>``: the class, its relatives, code that goes over all modules, or others."""
    if not info.known:
        return True
    relatives = [*info.mro, *context.project.subclasses(info)]
    for cls in relatives:
        text = cls.module.text_of(cls.node)
        if any(marker in text for marker in _DYNAMIC):
            return True
        for node in cls.module.below(cls.node):
            if isinstance(node, ast.Attribute) and node.attr == name and isinstance(node.ctx, ast.Load):
                return True
            if isinstance(node, ast.Constant) and node.value == name:
                return True
    for attribute in context.module.attributes:
        if attribute.attr == name and isinstance(attribute.ctx, ast.Load):
            holder = attribute.value
            if isinstance(holder, ast.Name) and (holder.id in _CONFIGS or holder.id == "self"):
                continue
            if isinstance(holder, ast.Attribute) and holder.attr in _CONFIGS:
                continue
            return True
    return False
