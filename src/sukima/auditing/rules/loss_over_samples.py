"""SK231: a sum of batch means divided by the number of samples."""

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
    code="SK231",
    slug="loss-divided-by-samples",
    why=(
        "The loss of a batch is already a mean. Summed over batches and divided by the number of samples it "
        "comes out a batch size too small, so it cannot be compared with a loss that is reckoned otherwise: the "
        "gap looks wrong."
    ),
    remedy="Divide by the number of batches, len(loader), or add loss.item() * batch size.",
    bad="""
import torch
import torch.nn as nn
import torch.nn.functional as F

def validate(model, loader):
    model.eval()
    total = 0.0
    with torch.no_grad():
        for x, y in loader:
            total += F.cross_entropy(model(x), y).item()
    return total / len(loader.dataset)
""",
    good="""
import torch
import torch.nn as nn
import torch.nn.functional as F

def validate(model, loader):
    model.eval()
    total = 0.0
    with torch.no_grad():
        for x, y in loader:
            total += F.cross_entropy(model(x), y).item()
    return total / len(loader)
""",
)

_LOSS = re.compile(r"loss|nll|mse|bce|entropy|error|objective|criterion", re.IGNORECASE)
_SAMPLES = re.compile(
    r"dataset|_set$|^(n|num|total|n_)_?(samples|examples|images|data)|testset|trainset|valset|train_data|test_data",
    re.IGNORECASE,
)
_SCALED = re.compile(r"size\(0\)|shape\[0\]|len\(|batch_size|bsz|\bbs\b|numel|\*\s*\w*n\w*\b|\.sum\(")


@RULE.source
def check(context: Context) -> Iterator[Finding]:
    """A variable that gathers losses in a loop, divided by the size of a data set."""
    module = context.module
    if "len(" not in module.source.text or "+=" not in module.source.text:
        return
    for node in module.divisions:
        left = node.left if isinstance(node, ast.BinOp) else node.target
        right = node.right if isinstance(node, ast.BinOp) else node.value
        name = name_of(left)
        if not name or not _counts_samples(right):
            continue
        around = module.function_of(node) or module.tree
        gathered = [s for s in module.below(around) if _gathers(s, name)]
        if any(_goes_over(context, s, right) for s in gathered):
            continue  # what it is divided by gives the batches: their number it is
        if gathered and all(_is_mean(context, around, s) for s in gathered):
            yield RULE.at(
                module,
                node,
                say("{name} sums batch means and is divided by the number of samples", name=name),
                site=name,
            )


def _counts_samples(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Call)
        and name_of(node.func) == "len"
        and len(node.args) == 1
        and _SAMPLES.search(name_of(node.args[0])) is not None
        and "loader" not in name_of(node.args[0])
    )


def _goes_over(context: Context, gathered: ast.AST, count: ast.expr) -> bool:
    """Whether the loop around goes over the very thing whose length is taken."""
    counted = {ast.unparse(a) for a in count.args} if isinstance(count, ast.Call) else set()
    return any(
        isinstance(around, ast.For) and any(ast.unparse(n) in counted for n in ast.walk(around.iter))
        for around in context.module.ancestors(gathered)
    )


def _gathers(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add) and name_of(node.target) == name


def _is_mean(context: Context, around: ast.AST, node: ast.AST) -> bool:
    """Whether what is added is a batch's mean loss, not multiplied by the batch's size."""
    assert isinstance(node, ast.AugAssign)
    text = ast.unparse(node.value)
    scaled = any(isinstance(n, ast.BinOp) and isinstance(n.op, ast.Mult) for n in ast.walk(node.value))
    if not _LOSS.search(text) or scaled or _SCALED.search(text):
        return False
    names = {name_of(n) for n in ast.walk(node.value) if isinstance(n, ast.Name)}
    made = [text]
    for statement in context.module.below(around):
        if isinstance(statement, ast.Assign) and any(name_of(t) in names for t in statement.targets):
            made.append(ast.unparse(statement.value))
        if isinstance(statement, ast.AugAssign) and name_of(statement.target) in names and statement is not node:
            return False
    whole = " ".join(made)
    reduced = re.search(
        r"reduction\s*=\s*['\"](sum|none)|size_average\s*=\s*False|reduce\s*=\s*False",
        whole + context.module.source.text,
    )
    return reduced is None and not _SCALED.search(" ".join(made[1:]) if len(made) > 1 and "*" in whole else "")
