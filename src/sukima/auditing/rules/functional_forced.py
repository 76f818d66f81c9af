"""SK102: functional dropout that is forced on."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from sukima.auditing.fixing import replace_node
from sukima.auditing.rule import Rule
from sukima.auditing.source.caller_gating import gated_by_callers
from sukima.auditing.source.constants import MISSING, constant_of
from sukima.auditing.source.context import Context
from sukima.auditing.source.gating import is_gated
from sukima.auditing.source.helpers import self_of
from sukima.auditing.source.intent import is_demonstration, is_meant, mentions_mode
from sukima.base.messages import Message, say
from sukima.records.finding import Finding

__all__ = ["RULE"]

RULE = Rule(
    code="SK102",
    slug="functional-dropout-forced-on",
    why=(
        "With training=True written out, or with a switch that is always true, dropout stays on at evaluation "
        "and in production. For Monte Carlo dropout say so in the name or a comment and audit stays silent."
    ),
    remedy="Pass training=self.training.",
    bad="""
import torch.nn as nn
import torch.nn.functional as F

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(512, 10)

    def forward(self, x):
        return self.fc(F.dropout(x, p=0.5, training=True))
""",
    good="""
import torch.nn as nn
import torch.nn.functional as F

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(512, 10)

    def forward(self, x):
        return self.fc(F.dropout(x, p=0.5, training=self.training))
""",
)


@RULE.source
def check(context: Context) -> Iterator[Finding]:
    """Switches that cannot be off: true constants, bound methods, and the mode turned round."""
    module = context.module
    for dropping in context.dropping_calls:
        call, switch, rate = dropping.node, dropping.switch, dropping.rate
        if switch is None:
            continue
        message = _fault(context, switch)
        if message is None or is_gated(module, call) or is_demonstration(module, call) or is_meant(module, call):
            continue
        if rate is not None and (constant_of(module, rate) in (0, 0.0) or mentions_mode(module, rate)):
            continue
        if gated_by_callers(context, call, rate):
            continue
        mode = self_of(context, call)
        fix = replace_node(switch, f"{mode}.training", safe=False) if mode else None
        yield RULE.at(module, call, message, site=context.site_of(call), fix=fix)


def _fault(context: Context, switch: ast.expr) -> Message | None:
    value = constant_of(context.module, switch)
    if value is not MISSING:
        return (
            say("dropout is forced on by {switch}: it drops at evaluation too", switch=ast.unparse(switch))
            if value
            else None
        )
    if isinstance(switch, ast.Attribute) and switch.attr in {"train", "eval"} and _is_method(context, switch):
        return say(
            "{switch} is a method, which is always true: dropout is on at evaluation", switch=ast.unparse(switch)
        )
    if (
        isinstance(switch, ast.UnaryOp)
        and isinstance(switch.op, ast.Not)
        and ast.unparse(switch.operand) == "self.training"
    ):
        return say(
            "{switch} is the wrong way round: dropout is on at evaluation and off in training",
            switch=ast.unparse(switch),
        )
    return None


def _is_method(context: Context, switch: ast.Attribute) -> bool:
    if not isinstance(switch.value, ast.Name):
        return False
    if switch.value.id != "self":
        return switch.value.id in {"model", "net"}
    owner = context.module.class_of(switch)
    assigned = any(
        isinstance(node, ast.Attribute) and node.attr == switch.attr and isinstance(node.ctx, ast.Store)
        for node in (context.module.below(owner) if owner else ())
    )
    return not assigned
