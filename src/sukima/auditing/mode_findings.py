"""Findings about models in the wrong mode, which several rules make from what the walk of modes saw."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sukima.auditing.rule import Rule
from sukima.auditing.source.context import Context
from sukima.auditing.source.modes import ModeEvent
from sukima.base.messages import Message
from sukima.records.finding import Finding

__all__ = ["mode_findings"]


def mode_findings(
    rule: Rule,
    context: Context,
    kind: str,
    message: Callable[[ModeEvent], Message],
    *,
    certain: bool | None = None,
    speaks: Callable[[ModeEvent], bool] = lambda event: True,
) -> Iterator[Finding]:
    """A finding for each event of this kind; ``certain`` chooses those whose model is known to hold dropout."""
    for event in context.mode_events:
        if event.kind == kind and certain in (None, event.certain) and speaks(event):
            yield rule.at(context.module, event.node, message(event), site=event.model)
