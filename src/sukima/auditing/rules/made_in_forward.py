"""SK103: a dropout module made anew in every forward pass."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from sukima.auditing.rule import Rule
from sukima.auditing.source.caller_gating import zeroed_by_callers
from sukima.auditing.source.catalogue import LAYERS
from sukima.auditing.source.constants import constant_of
from sukima.auditing.source.context import Context
from sukima.auditing.source.gating import is_gated
from sukima.auditing.source.helpers import reached_from_forward
from sukima.auditing.source.intent import is_demonstration, is_meant, mentions_mode
from sukima.auditing.source.values import argument
from sukima.base.messages import say
from sukima.records.finding import Finding
from sukima.records.model_view import DROPOUTS

__all__ = ["RULE"]

RULE = Rule(
    code="SK103",
    slug="dropout-made-in-forward",
    why=(
        "A module is born in training mode and eval() reaches only modules that the model holds. One that is "
        "made inside forward is new each time: it drops at evaluation too. In Keras a layer made in call has a "
        "new seed each time and is not part of the model."
    ),
    remedy="Make the dropout once in __init__ and call it in forward.",
    bad="""
import torch.nn as nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(512, 10)

    def forward(self, x):
        x = nn.Dropout(0.5)(x)
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
        return self.fc(self.drop(x))
""",
)

_PATH = frozenset({"path_dropout"})


@RULE.source
def check(context: Context) -> Iterator[Finding]:
    """Constructions inside forward or what it calls, and modules made and applied in one breath."""
    module = context.module
    for dotted, call in context.layer_calls:
        spec = LAYERS[dotted]
        if spec.kind not in DROPOUTS | _PATH or _is_harmless(context, call, spec.framework):
            continue
        rate = argument(call, *(spec.rate or (None, ())))
        if rate is not None and (constant_of(module, rate) in (0, 0.0) or mentions_mode(module, rate)):
            continue
        if zeroed_by_callers(context, rate):
            continue
        name = dotted.rpartition(".")[2]
        yield RULE.at(
            module,
            call,
            say("{name} is made anew in every pass: eval() cannot reach it", name=name),
            site=context.site_of(call),
        )


def _is_harmless(context: Context, call: ast.Call, framework: str) -> bool:
    module = context.module
    parent = module.parents.get(call)
    applied = isinstance(parent, ast.Call) and parent.func is call
    if framework == "keras":
        # A functional Keras model is built by such lines; only inside call are they wrong.
        if not reached_from_forward(context, call, "keras"):
            return True
        if isinstance(parent, ast.Call) and not applied:
            return True
    elif not (reached_from_forward(context, call, "torch") or (applied and module.function_of(call) is not None)):
        return True
    if isinstance(parent, ast.Attribute) and parent.attr in {"train", "eval"}:
        return True
    return _is_kept(context, call) or is_gated(module, call) or is_demonstration(module, call) or is_meant(module, call)


def _is_kept(context: Context, call: ast.Call) -> bool:
    """Made once on demand: ``if self.drop is None: self.drop = Dropout(…)``, or switched by ``drop.train(…)`` after."""
    statement: ast.AST | None = call
    while statement is not None and not isinstance(statement, ast.stmt):
        statement = context.module.parents.get(statement)
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return False
    target = ast.unparse(statement.targets[0])
    for around in context.module.ancestors(statement):
        if (
            isinstance(around, ast.If)
            and target.rpartition(".")[2] in ast.unparse(around.test)
            and isinstance(statement.targets[0], ast.Attribute)
        ):
            return True
        if isinstance(around, ast.FunctionDef):
            switches = (f"{target}.train(mode", f"{target}.train(self", f"{target}.eval(", f"{target}.training =")
            text = context.module.text_of(around)
            return any(s in text for s in switches)
    return False
