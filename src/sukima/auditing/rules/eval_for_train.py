"""SK129: eval() where train() is meant."""

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
    code="SK129",
    slug="training-in-eval-mode",
    why=(
        "The model is in eval mode while it is trained: dropout drops nothing and batch norm does not learn its "
        "statistics."
    ),
    remedy=(
        "Call model.train() before the training loop. Where batch norm is frozen on purpose, say so in a "
        "comment beside eval()."
    ),
    bad="""
import torch
import torch.nn as nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Dropout(0.5), nn.Linear(512, 10))

    def forward(self, x):
        return self.body(x)


model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
model.eval()
for x, y in []:
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
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


model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
model.train()
for x, y in []:
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
""",
)


@RULE.source
def check(context: Context) -> Iterator[Finding]:
    """A model whose parameters an optimizer holds, trained right after eval()."""
    yield from mode_findings(RULE, context, "trained_in_eval", _message)


def _message(event: ModeEvent) -> Message:
    return say("{model} is trained in eval mode", model=event.model)
