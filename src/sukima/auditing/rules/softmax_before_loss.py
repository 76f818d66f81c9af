"""SK232: softmax before cross-entropy."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from sukima.auditing.rule import Rule
from sukima.auditing.source.context import Context
from sukima.auditing.source.intent import name_of
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
    torch = _uses_torch_loss(context)
    keras = "from_logits=True" in context.module.source.text
    for view in context.views:
        if not (torch if view.framework == "torch" else keras and view.whole) or len(_trained(context, view)) == 0:
            continue
        for operation in view.operations:
            if operation.index in view.outputs and _is_softmax(operation) and _follows_linear(view, operation):
                yield RULE.on(operation, say("the model ends in a softmax and the loss applies another"))


def _is_softmax(operation: Operation) -> bool:
    return (operation.kind == "softmax" and "log" not in operation.name.lower()) or operation.squashed


def _follows_linear(view: ModelView, operation: Operation) -> bool:
    return operation.squashed or any(o.kind == "linear" for o in view.before(operation))


def _uses_torch_loss(context: Context) -> bool:
    return any(True for _ in context.calls_to("torch.nn.CrossEntropyLoss", "torch.nn.functional.cross_entropy"))


def _trained(context: Context, view: ModelView) -> list[ast.AST]:
    """Whether the model is the one trained here: made in this file outside other models, or training itself."""
    if view.whole or view.extras.get("model"):
        return [context.module.tree]
    return []


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
