"""SK126: dropout that is switched off for good."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from sukima.auditing.fixing import add_argument
from sukima.auditing.rule import Rule
from sukima.auditing.source.constants import constant_of
from sukima.auditing.source.context import Context
from sukima.auditing.source.gating import is_gated
from sukima.auditing.source.helpers import self_of, switch_of_helper
from sukima.auditing.source.intent import is_demonstration, is_for_inference, mentions_mode
from sukima.base.messages import say
from sukima.records.finding import Finding

__all__ = ["RULE"]

RULE = Rule(
    code="SK126",
    slug="dropout-switched-off",
    why=(
        "F.alpha_dropout, tf.layers.dropout and many drop_path helpers take training=False by default; with it, "
        "or with False written out, the call never drops anything and regularizes nothing."
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
        return self.fc(F.alpha_dropout(x, 0.1))
""",
    good="""
import torch.nn as nn
import torch.nn.functional as F

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(512, 10)

    def forward(self, x):
        return self.fc(F.alpha_dropout(x, 0.1, training=self.training))
""",
    references=("https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.alpha_dropout.html",),
)


@RULE.source
def check(context: Context) -> Iterator[Finding]:
    """A switch that is false, written or by default, of the frameworks' functions and of the project's helpers."""
    module = context.module
    for dropping in context.dropping_calls:
        call, switch, rate = dropping.node, dropping.switch, dropping.rate
        if dropping.passes_more or is_demonstration(module, call) or is_for_inference(module, call):
            continue
        off = dropping.spec.default is False if switch is None else constant_of(module, switch) is False
        if off and not _rate_is_moot(context, rate) and not is_gated(module, call):
            yield _finding(context, call, switch is None)
    for call in module.calls:
        if (
            switch_of_helper(context, call)
            and not _passes_more(call)
            and not is_gated(module, call)
            and not is_demonstration(module, call)
        ):
            yield _finding(context, call, True)


def _finding(context: Context, call: ast.Call, missing: bool) -> Finding:
    module = context.module
    mode = self_of(context, call)
    fix = add_argument(module, call, f"training={mode}.training") if mode and missing else None
    name = ast.unparse(call.func)
    message = (
        say("{name} never drops: training= is missing and is false by default", name=name)
        if missing
        else say("{name} never drops: its switch is false", name=name)
    )
    return RULE.at(module, call, message, site=context.site_of(call), fix=fix)


def _passes_more(call: ast.Call) -> bool:
    return any(k.arg is None for k in call.keywords) or any(isinstance(a, ast.Starred) for a in call.args)


def _rate_is_moot(context: Context, rate: ast.expr | None) -> bool:
    if rate is None:
        return False
    return constant_of(context.module, rate) in (0, 0.0) or mentions_mode(context.module, rate)
