"""SK127: evaluation that sets the stored rate to zero for good."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from sukima.auditing.rule import Rule
from sukima.auditing.source.context import Context
from sukima.auditing.source.gating import is_gated
from sukima.auditing.source.intent import is_test_function
from sukima.auditing.source.names import Function, Module
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
# A model that is loaded for inference alone is not trained on.
_LOADS = re.compile(r"(^|_)(load|build|create|make|prepare|export)(_|$)", re.IGNORECASE)
_STORED = re.compile(r"drop|^p$|^rate$", re.IGNORECASE)


@RULE.source
def check(context: Context) -> Iterator[Finding]:
    """A rate attribute assigned 0, and not assigned again, in functions that evaluate or in forward by the mode."""
    module = context.module
    for store in module.assignments:
        target = store.targets[0]
        if not isinstance(target, ast.Attribute) or not _is_zero(store.value) or not _is_rate(target):
            continue
        for function in module.ancestors(store):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if is_test_function(module, function) or _LOADS.search(function.name):
                continue
            if not (_EVAL.search(function.name) or (function.name == "forward" and is_gated(module, store))):
                continue
            if not _is_set_again(module, function, store, target.attr):
                yield RULE.at(
                    module,
                    store,
                    say("{target} is set to 0 for evaluation and never back", target=ast.unparse(target)),
                    site=function.name,
                )


def _is_set_again(module: Module, function: Function, store: ast.Assign, name: str) -> bool:
    """Whether the function sets the same attribute once more, after this or, in a forward pass, in another branch."""
    return any(
        isinstance(other, ast.Assign)
        and other is not store
        and getattr(other.targets[0], "attr", "") == name
        and (other.lineno > store.lineno or function.name == "forward")
        for other in module.below(function)
    )


def _is_zero(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value in (0, 0.0) and node.value is not False


def _is_rate(target: ast.Attribute) -> bool:
    holder = ast.unparse(target.value).lower()
    if target.attr in {"p", "rate"}:
        return bool(re.search(r"drop|module|layer|^m$|\bm$", holder))
    return _STORED.search(target.attr) is not None
