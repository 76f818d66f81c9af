"""SK123: a rate parameter that no path uses."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from sukima.auditing.rule import Rule
from sukima.auditing.source.classes import ClassInfo
from sukima.auditing.source.constants import is_rate_name
from sukima.auditing.source.context import Context
from sukima.auditing.source.helpers import uses_attribute
from sukima.auditing.source.intent import name_of, says_unused
from sukima.auditing.source.names import Function, Module
from sukima.base.messages import say
from sukima.records.finding import Finding

__all__ = ["RULE"]

RULE = Rule(
    code="SK123",
    slug="rate-parameter-unused",
    why=("The constructor takes a dropout rate and never reads it: whatever the user passes, nothing is dropped."),
    remedy="Pass the parameter to a dropout layer, or take it out.",
    bad="""
import torch.nn as nn

class Net(nn.Module):
    def __init__(self, width, dropout=0.5):
        super().__init__()
        self.fc1 = nn.Linear(784, width)
        self.fc2 = nn.Linear(width, 10)

    def forward(self, x):
        return self.fc2(self.fc1(x).relu())
""",
    good="""
import torch.nn as nn

class Net(nn.Module):
    def __init__(self, width, dropout=0.5):
        super().__init__()
        self.fc1 = nn.Linear(784, width)
        self.drop = nn.Dropout(dropout)
        self.fc2 = nn.Linear(width, 10)

    def forward(self, x):
        return self.fc2(self.drop(self.fc1(x).relu()))
""",
)

# Classes whose body the reader is to write.
_EXERCISE = re.compile(
    r"#.*\bTODO\b|^\W*TODO\W*$|your code|fill in|implement (this|me|function)", re.IGNORECASE | re.MULTILINE
)


@RULE.source
def check(context: Context) -> Iterator[Finding]:
    """Rate parameters of constructors of modules, and rate options of command lines, that nothing reads."""
    for info in context.classes:
        init = info.methods.get("__init__")
        if info.framework is None or info.forward is None or init is None:
            continue
        taken = [a for a in (*init.args.posonlyargs, *init.args.args, *init.args.kwonlyargs) if is_rate_name(a.arg)]
        if not taken or _is_unfinished(info):
            continue
        for arg in taken:
            if not says_unused(context.module, arg) and not _is_used(context, info, init, arg.arg):
                yield RULE.at(
                    context.module,
                    arg,
                    say(
                        "the parameter {name} of {owner} is never used: nothing is dropped",
                        name=arg.arg,
                        owner=info.name,
                    ),
                    site=info.name,
                )
    yield from _builders(context)
    yield from _options(context)


def _builders(context: Context) -> Iterator[Finding]:
    """Rates that a function which puts layers together takes and does not hand on."""
    module = context.module
    for function in module.functions:
        a = function.args
        taken = [p for p in (*a.posonlyargs, *a.args, *a.kwonlyargs) if is_rate_name(p.arg)]
        if not taken or function.decorator_list or module.class_of(function) or not _makes_layers(context, function):
            continue
        if any(load.id == function.name and _is_passed(module, load) for load in module.loads):
            continue  # one of several that are called alike
        read = {n.id for n in module.below(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
        for parameter in taken:
            if parameter.arg in read or read & {"locals", "vars"} or says_unused(module, parameter):
                continue
            message = say(
                "the parameter {name} of {owner} is never used: nothing is dropped",
                name=parameter.arg,
                owner=function.name,
            )
            yield RULE.at(module, parameter, message, site=function.name)


def _makes_layers(context: Context, function: Function) -> bool:
    inside = {n for n in context.module.below(function) if isinstance(n, ast.Call)}
    return any(call in inside for _, call in context.layer_calls)


def _is_passed(module: Module, load: ast.Name) -> bool:
    parent = module.parents.get(load)
    return not (isinstance(parent, ast.Call) and parent.func is load)


def _is_unfinished(info: ClassInfo) -> bool:
    """Interfaces and placeholders accept what others use."""
    forward = info.forward
    body = (
        [s for s in forward.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
        if forward
        else []
    )
    if forward is None or not body or isinstance(body[0], ast.Raise | ast.Pass):
        return True
    given = {a.arg for a in (*forward.args.posonlyargs, *forward.args.args)[1:]}
    home = info.home(forward.name)
    below = (home or info).module.below
    names = [n for s in body for n in below(s) if isinstance(n, ast.Name)]
    if given and not any(n.id in given for n in names):
        return True  # a template, whose forward looks at nothing
    stored = {n.id for n in names if isinstance(n.ctx, ast.Store)}
    returned = [s.value for s in below(forward) if isinstance(s, ast.Return)]
    given_out = [v for r in returned for v in (r.elts if isinstance(r, ast.Tuple) else [r]) if isinstance(v, ast.Name)]
    known = stored | given | set(info.module.scope.names)
    if any(v.id not in known and v.id != "self" for v in given_out):
        return True  # an exercise, which returns what the reader is to reckon
    return _EXERCISE.search(info.module.text_of(info.node)) is not None


def _is_used(context: Context, info: ClassInfo, init: Function, name: str) -> bool:
    inside = context.module.below(init)
    loads = [n for n in inside if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load)]
    if not loads:
        calls = [name_of(n.func) for n in inside if isinstance(n, ast.Call)]
        return bool({"locals", "vars", "save_hyperparameters", "signature"} & set(calls)) or bool(init.decorator_list)
    if not info.known:
        return True
    for load in loads:
        parent = context.module.parents.get(load)
        if isinstance(parent, ast.Assign) and len(parent.targets) == 1:
            target = parent.targets[0]
            if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self":
                if uses_attribute(context, info, target.attr):
                    return True
                continue
        return True
    return False


def _options(context: Context) -> Iterator[Finding]:
    """``--dropout`` of an argparse parser whose value the same script never reads."""
    module = context.module
    if "parse_args(" not in module.source.text:
        return
    text = module.source.text
    if "vars(args" in text or "vars(opt" in text or "**args" in text or "__dict__" in text or "getattr(" in text:
        return
    for call in context.calls_by_name.get("add_argument", []):
        names = [a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        long = next((n for n in names if n.startswith("--")), None)
        if long is None or not is_rate_name(long.strip("-").replace("-", "_")) or _hands_over(context):
            continue
        given = next((k.value for k in call.keywords if k.arg == "dest"), None)
        dest = str(given.value) if isinstance(given, ast.Constant) else long.strip("-").replace("-", "_")
        if (
            not any(a.attr == dest and isinstance(a.ctx, ast.Load) for a in module.attributes)
            and f'["{dest}"]' not in text
        ):
            yield RULE.at(
                module, call, say("the option {name} is parsed and never read: nothing is dropped", name=long)
            )


def _hands_over(context: Context) -> bool:
    """Whether the parsed options go somewhere as a whole: to a function of another file, or out of this one."""
    module = context.module
    parsed = {
        name_of(target)
        for call in context.calls_by_name.get("parse_args", [])
        if isinstance(at := module.parents.get(call), ast.Assign)
        for target in at.targets
    }
    if not any(a.attr not in {"parse_args", "add_argument"} and name_of(a.value) in parsed for a in module.attributes):
        return True  # a file of options that others read
    for load in module.loads:
        if load.id not in {"args", "opt", "opts", "options", "FLAGS", "cfg", "hparams", "parser"}:
            continue
        parent = module.parents.get(load)
        if isinstance(parent, ast.Return | ast.keyword | ast.Starred):
            return True
        if isinstance(parent, ast.Call) and load in parent.args:
            name = parent.func.id if isinstance(parent.func, ast.Name) else ""
            local = any(isinstance(b, ast.FunctionDef) for b in module.lookup(name, module.scope))
            if not local and name not in {"print", "str", "repr"}:
                return True
    return "parser" in {a.arg for f in module.functions for a in f.args.args} or "return parser" in module.source.text
