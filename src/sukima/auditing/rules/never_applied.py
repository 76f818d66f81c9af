"""SK121: dropout made and never applied."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from sukima.auditing.rule import Rule
from sukima.auditing.source.catalogue import LAYERS
from sukima.auditing.source.constants import constant_of
from sukima.auditing.source.context import Context
from sukima.auditing.source.helpers import uses_attribute
from sukima.auditing.source.intent import says_unused
from sukima.auditing.source.values import argument
from sukima.base.messages import say
from sukima.records.finding import Finding
from sukima.records.model_view import DROPOUTS, ModelView

__all__ = ["RULE"]

RULE = Rule(
    code="SK121",
    slug="dropout-never-applied",
    why=(
        "A dropout that __init__ makes and nothing calls regularizes nothing, although the model prints it and "
        "its rate seems to be in force."
    ),
    remedy="Apply it in forward, or remove it.",
    bad="""
import torch.nn as nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(784, 512)
        self.drop = nn.Dropout(0.5)
        self.fc2 = nn.Linear(512, 10)

    def forward(self, x):
        return self.fc2(self.fc1(x).relu())
""",
    good="""
import torch.nn as nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(784, 512)
        self.drop = nn.Dropout(0.5)
        self.fc2 = nn.Linear(512, 10)

    def forward(self, x):
        return self.fc2(self.drop(self.fc1(x).relu()))
""",
)


@RULE.source
def check(context: Context) -> Iterator[Finding]:
    """Attributes and local variables of constructors that hold dropout and that nothing reads."""
    module = context.module
    for dotted, call in context.layer_calls:
        if LAYERS[dotted].kind not in DROPOUTS | {"path_dropout"}:
            continue
        function, owner = module.function_of(call), module.class_of(call)
        if function is None or owner is None or function.name not in {"__init__", "build", "setup", "configure_model"}:
            continue
        info = context.project.info(owner, module)
        rate = argument(call, *(LAYERS[dotted].rate or (None, ())))
        if info.framework is None or info.forward is None or constant_of(module, rate) in (0, 0.0):
            continue
        if says_unused(module, call):
            continue
        target = _holder(context, call)
        if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self":
            if not uses_attribute(context, info, target.attr):
                yield RULE.at(
                    module, call, say("{site} is made and never applied", site=f"self.{target.attr}"), site=target.attr
                )
        elif isinstance(target, ast.Name) and not _is_read(context, function, target.id):
            yield RULE.at(module, call, say("{site} is made and never applied", site=target.id), site=target.id)


def _holder(context: Context, call: ast.Call) -> ast.expr | None:
    """The one name that the layer is assigned to, directly or by a condition."""
    node: ast.AST = call
    parent = context.module.parents.get(node)
    while isinstance(parent, ast.IfExp):
        node, parent = parent, context.module.parents.get(parent)
    if isinstance(parent, ast.Assign) and len(parent.targets) == 1:
        return parent.targets[0]
    return parent.target if isinstance(parent, ast.AnnAssign) else None


def _is_read(context: Context, function: ast.AST, name: str) -> bool:
    return any(function in context.module.ancestors(load) for load in context.loads_by_name.get(name, []))


@RULE.view
def check_view(view: ModelView) -> Iterator[Finding]:
    """Dropout that a live model holds and that its traced pass does not run."""
    found = view.extras.get("unused", [])
    for name in found if isinstance(found, list) else []:
        yield RULE.seen(say("{site} is made and never applied", site=name), name)
