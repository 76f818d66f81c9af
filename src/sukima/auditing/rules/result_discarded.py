"""SK122: the result of dropout thrown away."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from sukima.auditing.fixing import insert_before
from sukima.auditing.rule import Rule
from sukima.auditing.source.constants import constant_of
from sukima.auditing.source.context import Context
from sukima.auditing.source.intent import is_demonstration
from sukima.auditing.source.names import Module
from sukima.auditing.source.values import argument
from sukima.base.messages import say
from sukima.records.finding import Finding
from sukima.records.model_view import Operation

__all__ = ["RULE"]

RULE = Rule(
    code="SK122",
    slug="dropout-result-discarded",
    why=(
        "Dropout returns a new tensor. As a statement, or assigned to a name that nothing reads, its result is "
        "lost and the network goes on with the values before it."
    ),
    remedy="Assign the result: x = self.drop(x).",
    bad="""
import torch.nn as nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.drop = nn.Dropout(0.5)
        self.fc = nn.Linear(512, 10)

    def forward(self, x):
        self.drop(x)
        return self.fc(x)
""",
    good="""
import torch.nn as nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.drop = nn.Dropout(0.5)
        self.fc = nn.Linear(512, 10)

    def forward(self, x):
        x = self.drop(x)
        return self.fc(x)
""",
)


@RULE.source
def check(context: Context) -> Iterator[Finding]:
    """Dropouts in a model's flow whose result nothing takes."""
    for view in context.views:
        dead = view.extras.get("dead", [])
        if view.partial or not isinstance(dead, list):
            continue
        for operation, node, module in dead:
            call = _applied(context, operation, node, module)
            if call is not None and not _works_in_place(context, operation, call):
                yield _finding(context, operation, call)


def _applied(context: Context, operation: Operation, node: ast.AST, module: Module) -> ast.Call | None:
    """The call whose result is lost, where it is a statement or is assigned to a name that is not read after it."""
    calls: list[ast.AST] = [node]
    if operation.site is not None:
        calls = list(context.calls_by_name.get(operation.site.rpartition(".")[2], []))
    for call in calls:
        parent = context.module.parents.get(call)
        if module is not context.module or not isinstance(call, ast.Call):
            continue
        if isinstance(parent, ast.Expr):
            return call
        if isinstance(parent, ast.Assign) and len(parent.targets) == 1 and isinstance(parent.targets[0], ast.Name):
            function = context.module.function_of(call)
            name = parent.targets[0].id
            read = [
                x
                for x in context.loads_by_name.get(name, [])
                if function is None or function in context.module.ancestors(x)
            ]
            if not name.startswith("_") and not any(
                x.lineno > (parent.end_lineno or 0) or _loops(context, call) for x in read
            ):
                return call
    return None


def _loops(context: Context, node: ast.AST) -> bool:
    return any(isinstance(a, ast.For | ast.While) for a in context.module.ancestors(node))


def _works_in_place(context: Context, operation: Operation, call: ast.Call) -> bool:
    if constant_of(context.module, argument(call, 3, ("inplace",))) is True or _in_test(context, call):
        return True
    makers = [c for _, c in context.layer_calls if c.lineno == operation.line] if operation.site else []
    return any(constant_of(context.module, argument(c, 1, ("inplace",))) is True for c in makers)


def _in_test(context: Context, call: ast.Call) -> bool:
    return context.module.function_of(call) is not None and is_demonstration(context.module, call)


def _finding(context: Context, operation: Operation, call: ast.Call) -> Finding:
    fix = None
    parent = context.module.parents.get(call)
    if isinstance(parent, ast.Expr) and call.args and isinstance(call.args[0], ast.Name):
        fix = insert_before(call, f"{call.args[0].id} = ", safe=True)
    shown = ast.unparse(call.func)
    return RULE.at(
        context.module,
        call,
        say("the result of {call} is thrown away", call=f"{shown}(…)"),
        site=operation.site,
        fix=fix,
    )
