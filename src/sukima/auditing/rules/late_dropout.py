"""SK305: dropout that starts late in training."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from sukima.auditing.rule import Rule
from sukima.auditing.source.context import Context
from sukima.auditing.source.intent import name_of
from sukima.base.messages import say
from sukima.records.finding import Finding

__all__ = ["RULE"]

RULE = Rule(
    code="SK305",
    slug="dropout-starts-late",
    why=(
        "Dropout that begins only late lets the network overfit first. Late dropout has helped some large "
        "models, so this is advice: compare both."
    ),
    remedy="Start with dropout from the first epoch, or let `sukima tune` compare schedules.",
    bad="""
import torch.nn as nn

def train(model, epochs):
    for epoch in range(epochs):
        if epoch >= 10:
            model.drop.p = 0.5
        fit_epoch(model)
""",
    good="""
import torch.nn as nn

def train(model, epochs):
    model.drop.p = 0.5
    for epoch in range(epochs):
        fit_epoch(model)
""",
    references=("Liu et al. 2023, https://arxiv.org/abs/2303.01500",),
)


@RULE.source
def check(context: Context) -> Iterator[Finding]:
    """A positive rate set under a condition that an epoch or step count has been reached."""
    if "drop" not in context.module.source.text:
        return
    for node in context.module.ifs:
        if not _is_late(node.test):
            continue
        for statement in node.body:
            for found in context.module.below(statement):
                if isinstance(found, ast.Assign) and _sets_rate(found):
                    yield RULE.at(
                        context.module, found, say("dropout starts only when {when}", when=ast.unparse(node.test))
                    )


def _is_late(test: ast.expr) -> bool:
    if not isinstance(test, ast.Compare) or not isinstance(test.ops[0], ast.Gt | ast.GtE | ast.Eq):
        return False
    counted = re.search(r"epoch|step|iter", name_of(test.left)) is not None
    limit = test.comparators[0]
    return counted and not (isinstance(limit, ast.Constant) and limit.value in (0, 1))


def _sets_rate(node: ast.Assign) -> bool:
    target = node.targets[0]
    if not isinstance(target, ast.Attribute) or (isinstance(node.value, ast.Constant) and not node.value.value):
        return False
    whole = ast.unparse(target)
    return "drop" in whole.lower() and (target.attr in {"p", "rate"} or "drop" in target.attr)
