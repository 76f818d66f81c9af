"""SK105: evaluation without eval()."""

from __future__ import annotations

from collections.abc import Iterator

from sukima.auditing.mode_findings import mode_findings
from sukima.auditing.rule import Rule
from sukima.auditing.source.context import Context
from sukima.auditing.source.modes import ModeEvent
from sukima.base.messages import Message, say
from sukima.records.finding import Finding

__all__ = ["RULE"]

RULE = Rule(
    code="SK105",
    slug="evaluation-without-eval",
    why=(
        "Outside training, dropout is still on until model.eval() is called. no_grad() only stops gradients; it "
        "does not change the mode, so validation and predictions are made by a randomly thinned network."
    ),
    remedy="Call model.eval() before evaluating, and model.train() before training on.",
    bad="""
import torch
import torch.nn as nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Dropout(0.5), nn.Linear(512, 10))

    def forward(self, x):
        return self.body(x)


def evaluate(model, loader):
    correct = 0
    with torch.no_grad():
        for x, y in loader:
            correct += (model(x).argmax(1) == y).sum().item()
    return correct

model = Net()
print(evaluate(model, []))
""",
    good="""
import torch
import torch.nn as nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Dropout(0.5), nn.Linear(512, 10))

    def forward(self, x):
        return self.body(x)


def evaluate(model, loader):
    model.eval()
    correct = 0
    with torch.no_grad():
        for x, y in loader:
            correct += (model(x).argmax(1) == y).sum().item()
    return correct

model = Net()
print(evaluate(model, []))
""",
    references=("https://docs.pytorch.org/docs/stable/notes/autograd.html#evaluation-mode-nn-module-eval",),
)


@RULE.source
def check(context: Context) -> Iterator[Finding]:
    """Models known to hold dropout, used for evaluation while in training mode."""
    yield from mode_findings(RULE, context, "evaluated_in_training", _message, certain=True)


def _message(event: ModeEvent) -> Message:
    if event.under_no_grad:
        return say(
            "{model} is evaluated in training mode: no_grad() does not switch dropout off, eval() does",
            model=event.model,
        )
    return say("{model} is evaluated in training mode: eval() was not called", model=event.model)
