"""SK233: no_grad() taken for eval()."""

from __future__ import annotations

from collections.abc import Iterator

from sukima.auditing.rule import Rule
from sukima.auditing.source.callers import callers_leave_the_mode
from sukima.auditing.source.context import Context
from sukima.base.messages import say
from sukima.records.finding import Finding

__all__ = ["RULE"]

RULE = Rule(
    code="SK233",
    slug="no-grad-is-not-eval",
    why=(
        "no_grad() saves memory; only eval() changes what dropout and batch norm do. Audit cannot see here that "
        "the model holds dropout, so this is likely rather than certain."
    ),
    remedy="Call model.eval() before evaluating; keep no_grad() as well.",
    bad="""
import torch
from somewhere import build_model

model = build_model()

def validate(loader):
    with torch.no_grad():
        for x, y in loader:
            print(model(x))

validate([])
""",
    good="""
import torch
from somewhere import build_model

model = build_model()

def validate(loader):
    model.eval()
    with torch.no_grad():
        for x, y in loader:
            print(model(x))

validate([])
""",
)


@RULE.source
def check(context: Context) -> Iterator[Finding]:
    """Evaluation in training mode of a model whose layers are not known, or that holds batch norm but no dropout."""
    for event in context.mode_events:
        if event.kind != "evaluated_in_training" or event.certain:
            continue
        if event.entry is not None and not callers_leave_the_mode(context, event.entry):
            continue
        message = (
            say("{model} is evaluated under no_grad() but eval() was not called", model=event.model)
            if event.under_no_grad
            else say("{model} is evaluated but eval() was not called", model=event.model)
        )
        yield RULE.at(context.module, event.node, message, site=event.model)
