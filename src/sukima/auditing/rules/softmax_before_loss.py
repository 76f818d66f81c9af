"""SK232: softmax before cross-entropy."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from sukima.auditing.rule import Rule
from sukima.auditing.source.context import Context
from sukima.auditing.source.intent import name_of
from sukima.auditing.source.values import argument
from sukima.base.messages import say
from sukima.records.finding import Finding
from sukima.records.model_view import ModelView, Operation

__all__ = ["RULE"]

RULE = Rule(
    code="SK232",
    slug="softmax-before-cross-entropy",
    why=(
        "CrossEntropyLoss and from_logits=True apply the softmax themselves. After a softmax in the model it "
        "acts twice: gradients shrink, the loss cannot fall below a bound, and the gap between curves looks "
        "small."
    ),
    remedy="Return logits from the model, or use NLLLoss after log_softmax, or from_logits=False.",
    bad="""
import torch.nn as nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(784, 10)
        self.softmax = nn.Softmax(dim=1)

    def forward(self, x):
        return self.softmax(self.fc(x))

model = Net()
criterion = nn.CrossEntropyLoss()

def step(x, y):
    return criterion(model(x), y)
""",
    good="""
import torch.nn as nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(784, 10)

    def forward(self, x):
        return self.fc(x)

model = Net()
criterion = nn.CrossEntropyLoss()

def step(x, y):
    return criterion(model(x), y)
""",
    references=("https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html",),
)


@RULE.source
def check(context: Context) -> Iterator[Finding]:
    """A model whose output passed a softmax, in a file that trains with cross-entropy on logits."""
    if "oftmax" not in context.module.source.text:
        return
    yield from _direct(context)
    for view in context.views:
        if not (view.whole or view.extras.get("model")):
            continue
        for operation in view.operations:
            if (
                operation.index not in view.outputs
                or not _is_softmax(operation)
                or not _follows_linear(view, operation)
            ):
                continue
            if any(before.index in view.outputs for before in view.before(operation)):
                continue  # the logits are given out too, for the loss
            if _takes_logits(context, view, operation):
                yield RULE.on(operation, say("the model ends in a softmax and the loss applies another"))


def _is_softmax(operation: Operation) -> bool:
    return (operation.kind == "softmax" and "log" not in operation.name.lower()) or operation.squashed


def _follows_linear(view: ModelView, operation: Operation) -> bool:
    return operation.squashed or any(o.kind == "linear" for o in view.before(operation))


def _takes_logits(context: Context, view: ModelView, operation: Operation) -> bool:
    """Whether the loss that the model is trained with takes logits."""
    if view.framework == "torch":
        return any(True for _ in context.calls_to("torch.nn.CrossEntropyLoss", "torch.nn.functional.cross_entropy"))
    if not view.whole or "from_logits=True" not in context.module.source.text:
        return False
    compiled = [c for c in context.calls_by_name.get("compile", []) if c.lineno >= (operation.line or 0)]
    return not compiled or "from_logits=True" in _loss_text(context, min(compiled, key=lambda c: c.lineno))


def _loss_text(context: Context, compiled: ast.Call) -> str:
    """How the loss of a ``compile`` call is written, through a name that it may have."""
    given = argument(compiled, 1, ("loss",))
    if isinstance(given, ast.Name):
        bound = [b for b in context.module.lookup(given.id, context.module.scope_of(given)) if isinstance(b, ast.expr)]
        given = bound[-1] if bound else given
    return "" if given is None else ast.unparse(given)


def _direct(context: Context) -> Iterator[Finding]:
    """``criterion(softmax(x), y)``, written so or through one variable."""
    module = context.module
    losses = {c for _, c in context.calls_to("torch.nn.functional.cross_entropy")}
    made = {c for _, c in context.calls_to("torch.nn.CrossEntropyLoss")}
    names = {name_of(t) for c in made if isinstance(p := module.parents.get(c), ast.Assign) for t in p.targets}
    losses |= {c for name in names for c in context.calls_by_name.get(name, [])}
    softmaxes = {c for name in ("torch.nn.functional.softmax", "torch.softmax") for c in context.calls.get(name, [])}
    for call in losses:
        given = call.args[0] if call.args else None
        if isinstance(given, ast.Name):
            bound = [b for b in module.lookup(given.id, module.scope_of(call)) if isinstance(b, ast.expr)]
            given = bound[0] if len(bound) == 1 else given
        if isinstance(given, ast.Call) and (
            given in softmaxes or (isinstance(given.func, ast.Attribute) and given.func.attr == "softmax")
        ):
            yield RULE.at(module, call, say("a softmax before cross-entropy, which applies its own"))
