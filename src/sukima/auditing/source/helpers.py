"""Questions about functions and their callers that several rules ask."""

from __future__ import annotations

import ast
import re

from sukima.auditing.source.constants import constant_of, is_rate_name
from sukima.auditing.source.context import Context
from sukima.auditing.source.gating import is_gated
from sukima.auditing.source.intent import mentions_mode
from sukima.auditing.source.names import Function
from sukima.auditing.source.project import ClassInfo
from sukima.auditing.source.values import argument
from sukima.auditing.source.words import words

__all__ = [
    "gated_by_callers",
    "in_keras_v1",
    "parameter_of",
    "reached_from_forward",
    "self_of",
    "switch_of_helper",
    "uses_attribute",
]

_FORWARDS = frozenset({"forward", "call", "__call__"})


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
        return function.name in _FORWARDS or function.name in _called_by_forward(context, owner)
    return framework == "torch" and any(
        context.module.function_of(call) is not function and reached_from_forward_once(context, call)
        for call in calls_of(context, function)
    )


def reached_from_forward_once(context: Context, call: ast.Call) -> bool:
    """Whether a call stands directly in a torch module's ``forward``."""
    function = context.module.function_of(call)
    owner = context.module.class_of(call)
    if function is None or owner is None or function.name not in _FORWARDS:
        return False
    return context.project.info(owner, context.module).framework == "torch"


def _called_by_forward(context: Context, owner: ast.ClassDef) -> set[str]:
    methods = {n.name: n for n in owner.body if isinstance(n, ast.FunctionDef)}
    found: set[str] = set()
    todo = [m for m in _FORWARDS if m in methods] + [m for m in methods if m.startswith("forward_")]
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


def gated_by_callers(context: Context, call: ast.Call, rate: ast.expr | None) -> bool:
    """Whether the rate is a parameter that the callers set by the mode, or a helper is called in training only.

    A helper without callers in its file, whose rate is 0 by default, follows the convention of torch's own attention
    functions: the caller passes 0 at inference.
    """
    function = context.module.function_of(call)
    if function is None or function.name in _FORWARDS:
        return function is not None and _module_is_gated(context, function)
    calls = [c for c in calls_of(context, function) if context.module.function_of(c) is not function]
    parameter = parameter_of(context, rate)
    if parameter is None or parameter[0] is not function:
        return bool(calls) and all(is_gated(context.module, c) for c in calls)
    return _gated_parameter(context, function, parameter[1])


def _module_is_gated(context: Context, forward: Function) -> bool:
    """Whether the file applies a module of its own in training only: ``if self.training: x = self.drop(x)``."""
    owner = context.module.class_of(forward)
    if owner is None or context.project.info(owner, context.module).framework != "torch":
        return False
    held = {
        target.attr
        for made in context.calls_by_name.get(owner.name, [])
        if isinstance(at := context.module.parents.get(made), ast.Assign)
        for target in at.targets
        if isinstance(target, ast.Attribute)
    }
    uses = [use for name in held for use in context.calls_by_name.get(name, [])]
    return bool(uses) and all(is_gated(context.module, use) for use in uses)


def _gated_parameter(context: Context, function: Function, name: str, depth: int = 3) -> bool:
    """Whether every call of a function in its file gives this parameter by the mode, or passes such a parameter on."""
    calls = [c for c in calls_of(context, function) if context.module.function_of(c) is not function]
    names = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
    position = names.index(name) if name in names else None
    if position is not None and names[0] == "self":
        position -= 1
    if not calls:
        return _default_is_zero(function, name) or name == "dropout_p" or is_primitive(context, function)
    for one in calls:
        given = argument(one, position, (name,))
        if given is None:
            if any(k.arg is None for k in one.keywords) or _default_is_zero(function, name):
                continue
            return False
        if constant_of(context.module, given) in (0, 0.0) or mentions_mode(context.module, given):
            continue
        passed = parameter_of(context, given)
        handed_on = passed is not None and passed[0].name not in _FORWARDS and depth > 0
        if handed_on and passed is not None and _gated_parameter(context, *passed, depth - 1):
            continue
        if not is_gated(context.module, one):
            return False
    return True


_PRIMITIVE = re.compile(
    r"^_?(\w+_)?(dropout|drop_path|drop_block|alpha_dropout|dropout\dd)(_\w+)?$|dropout", re.IGNORECASE
)


def is_primitive(context: Context, function: Function) -> bool:
    """Whether a function outside any class is itself a dropout, whose callers decide when to drop."""
    return context.module.class_of(function) is None and _PRIMITIVE.search(function.name) is not None


def _default_is_zero(function: Function, name: str) -> bool:
    a = function.args
    positional = [*a.posonlyargs, *a.args]
    pairs = [
        *zip(positional[len(positional) - len(a.defaults) :], a.defaults, strict=True),
        *zip(a.kwonlyargs, a.kw_defaults, strict=True),
    ]
    return any(p.arg == name and isinstance(d, ast.Constant) and d.value in (0, 0.0, None) for p, d in pairs)


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
