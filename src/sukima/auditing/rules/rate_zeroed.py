"""SK127: evaluation that sets the stored rate to zero for good."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from sukima.auditing.rule import Rule
from sukima.auditing.source.context import Context
from sukima.base.messages import say
from sukima.records.finding import Finding

__all__ = ["RULE"]

RULE = Rule(
    code="SK127",
    slug="rate-zeroed-for-good",
    why=(
        "Setting a layer's rate to 0 for evaluation and never back switches dropout off for all training that "
        "follows; eval() does the same and train() undoes it."
    ),
    remedy="Call eval() before evaluating and train() after, and leave the rate alone.",
    bad="""
import torch.nn as nn

def evaluate(model, loader):
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return [model(x) for x in loader]
""",
    good="""
import torch.nn as nn

def evaluate(model, loader):
    model.eval()
    result = [model(x) for x in loader]
    model.train()
    return result
""",
)

_EVAL = re.compile(r"eval|valid|test|predict|infer|(^|_)val(_|$)", re.IGNORECASE)
_STORED = re.compile(r"drop|^p$|^rate$", re.IGNORECASE)


@RULE.source
def check(context: Context) -> Iterator[Finding]:
    """In functions that evaluate: a rate attribute assigned 0 and not assigned again."""
    for function in context.module.functions:
        if not _EVAL.search(function.name) or function.name.startswith("test_"):
            continue
        stores = [
            s for s in ast.walk(function) if isinstance(s, ast.Assign) and isinstance(s.targets[0], ast.Attribute)
        ]
        for store in stores:
            target = store.targets[0]
            if not isinstance(target, ast.Attribute) or not _is_rate(target):
                continue
            if not (
                isinstance(store.value, ast.Constant)
                and store.value.value in (0, 0.0)
                and store.value.value is not False
            ):
                continue
            again = [
                o
                for o in stores
                if o is not store and o.lineno > store.lineno and getattr(o.targets[0], "attr", "") == target.attr
            ]
            if not again:
                yield RULE.at(
                    context.module,
                    store,
                    say("{target} is set to 0 for evaluation and never back", target=ast.unparse(target)),
                    site=function.name,
                )


def _is_rate(target: ast.Attribute) -> bool:
    holder = ast.unparse(target.value).lower()
    if target.attr in {"p", "rate"}:
        return bool(re.search(r"drop|module|layer|^m$|\bm$", holder))
    return _STORED.search(target.attr) is not None
