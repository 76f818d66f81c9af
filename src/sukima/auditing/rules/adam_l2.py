"""SK307: L2 through Adam where decoupled decay is meant."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from sukima.auditing.fixing import replace_node
from sukima.auditing.rule import Rule
from sukima.auditing.source.constants import constant_of
from sukima.auditing.source.context import Context
from sukima.base.messages import say
from sukima.records.finding import Finding

__all__ = ["RULE"]

RULE = Rule(
    code="SK307",
    slug="adam-weight-decay",
    why=(
        "weight_decay in Adam adds an L2 term to the gradient, which Adam then rescales: large gradients are "
        "decayed less. AdamW decays all weights alike, which is what is usually meant."
    ),
    remedy="Use AdamW with the same weight_decay, and tune it anew.",
    bad="""
import torch

def optimizer_of(model):
    return torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=1e-2)
""",
    good="""
import torch

def optimizer_of(model):
    return torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-2)
""",
    references=("Loshchilov & Hutter 2019, https://arxiv.org/abs/1711.05101",),
)


@RULE.source
def check(context: Context) -> Iterator[Finding]:
    """``Adam`` with a weight decay that is not zero."""
    for _, call in context.calls_to("torch.optim.Adam", "torch.optim.adam.Adam"):
        decay = next((k.value for k in call.keywords if k.arg == "weight_decay"), None)
        if decay is None or constant_of(context.module, decay) in (0, 0.0):
            continue
        if any(k.arg == "decoupled_weight_decay" for k in call.keywords):
            continue
        fix = None
        if isinstance(call.func, ast.Attribute):
            fix = replace_node(call.func, f"{ast.unparse(call.func.value)}.AdamW", safe=False)
        yield RULE.at(context.module, call, say("Adam's weight_decay is an L2 term, not decoupled decay"), fix=fix)
