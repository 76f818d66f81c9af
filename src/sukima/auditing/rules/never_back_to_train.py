"""SK106: a training loop that never returns to train()."""

from __future__ import annotations

from collections.abc import Iterator

from sukima.auditing.rule import Rule
from sukima.auditing.source.context import Context
from sukima.base.messages import say
from sukima.records.finding import Finding

__all__ = ["RULE"]

RULE = Rule(
    code="SK106",
    slug="never-back-to-train",
    why=(
        "Validation calls eval() inside the loop and nothing calls train() before the next step: the model goes on "
        "training without dropout and with frozen batch norm statistics."
    ),
    remedy="Call model.train() after every validation, or right before every training step.",
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
    model.eval()
    return [model(x) for x, y in loader]

model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

model.train()
for epoch in range(10):
    for x, y in []:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
    evaluate(model, [])
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
    return [model(x) for x, y in loader]

model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for epoch in range(10):
    model.train()
    for x, y in []:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
    evaluate(model, [])
""",
    references=("https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.train",),
)


@RULE.source
def check(context: Context) -> Iterator[Finding]:
    """Training steps that come round to a model which an earlier evaluation left in eval mode."""
    for event in context.mode_events:
        if event.kind == "trained_after_eval":
            message = say(
                "{model} is trained on after this eval(): train() is not called before the next step", model=event.model
            )
            yield RULE.at(context.module, event.node, message, site=event.model)
