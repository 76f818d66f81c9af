"""SK306: a penalty on biases and norms."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from sukima.auditing.rule import Rule
from sukima.auditing.source.context import Context
from sukima.base.messages import say
from sukima.records.finding import Finding

__all__ = ["RULE"]

RULE = Rule(
    code="SK306",
    slug="penalty-on-bias-and-norm",
    why=(
        "Weight decay or L1 over all parameters also pulls biases and the scales of norms to zero, which limits "
        "no capacity and can hurt. Most recipes leave them out."
    ),
    remedy=(
        "Decay only weights with two or more dimensions; put biases and norms into a parameter group with "
        "weight_decay=0."
    ),
    bad="""
import torch

def penalty(model):
    return sum(p.abs().sum() for p in model.parameters())
""",
    good="""
import torch

def penalty(model):
    return sum(p.abs().sum() for name, p in model.named_parameters() if p.ndim > 1)
""",
)


@RULE.source
def check(context: Context) -> Iterator[Finding]:
    """Sums of absolute or squared values over all parameters, and weight decay over all of a model with norms."""
    module = context.module
    for call in context.calls_by_name.get("parameters", []):
        parent = module.parents.get(call)
        if isinstance(parent, ast.comprehension) and not parent.ifs:
            whole = module.parents.get(parent)
            if isinstance(whole, ast.GeneratorExp | ast.ListComp) and _is_penalty(whole.elt):
                yield RULE.at(module, whole, say("the penalty covers biases and norms too"))
        elif isinstance(parent, ast.For) and not any(isinstance(n, ast.If) for n in ast.walk(parent)):
            added = [s for s in parent.body if isinstance(s, ast.AugAssign | ast.Assign) and _is_penalty(s.value)]
            if added:
                yield RULE.at(module, added[0], say("the penalty covers biases and norms too"))
    if "_regularizer" not in module.source.text:
        return
    for name in ("bias_regularizer", "gamma_regularizer", "beta_regularizer"):
        for call in module.calls:
            given = next((k for k in call.keywords if k.arg == name), None)
            if given is not None and "l1" in ast.unparse(given.value).lower():
                yield RULE.at(module, call, say("{name}: a penalty on biases and norms", name=name))


def _is_penalty(node: ast.expr) -> bool:
    text = ast.unparse(node)
    if "grad" in text or "numel" in text:
        return False
    l1 = ".abs()" in text or "torch.abs(" in text or "norm(1)" in text or "p=1)" in text or ", 1)" in text
    l2 = "** 2" in text or "pow(2" in text or "square(" in text or "norm(2)" in text
    return (l1 or l2) and ("sum" in text or "norm" in text)
