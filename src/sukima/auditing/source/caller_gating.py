"""Whether a function that drops is called in training only, or is told the rate by callers that look at the mode."""

from __future__ import annotations

import ast
import re

from sukima.auditing.source.constants import constant_of
from sukima.auditing.source.context import Context
from sukima.auditing.source.gating import is_gated
from sukima.auditing.source.helpers import FORWARDS, calls_of, parameter_of
from sukima.auditing.source.intent import mentions_mode
from sukima.auditing.source.names import Function
from sukima.auditing.source.values import argument

__all__ = ["gated_by_callers", "zeroed_by_callers"]


def gated_by_callers(context: Context, call: ast.Call, rate: ast.expr | None) -> bool:
    """Whether the rate is a parameter that the callers set by the mode, or a helper is called in training only.

    A helper without callers in its file, whose rate is 0 by default, follows the convention of torch's own attention
    functions: the caller passes 0 at inference.
    """
    function = context.module.function_of(call)
    if function is None or function.name in FORWARDS:
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
        handed_on = passed is not None and passed[0].name not in FORWARDS and depth > 0
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


def zeroed_by_callers(context: Context, rate: ast.expr | None) -> bool:
    """Whether the rate is a parameter that a caller in the file sets to 0: ``net.forward(x, 0.0)``."""
    found = parameter_of(context, rate)
    if found is None:
        return False
    function, name = found
    names = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
    position = names.index(name) - (names[0] == "self") if name in names else None
    given = (argument(call, position, (name,)) for call in calls_of(context, function))
    return any(node is not None and constant_of(context.module, node) in (0, 0.0) for node in given)
