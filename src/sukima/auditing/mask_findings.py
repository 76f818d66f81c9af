"""Findings about dropout written by hand, which several rules make."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sukima.auditing.rule import Rule
from sukima.auditing.source.context import Context
from sukima.auditing.source.intent import is_demonstration
from sukima.auditing.source.masks import HandMask, hand_written_masks
from sukima.base.messages import Message
from sukima.records.finding import Finding

__all__ = ["mask_findings"]


def mask_findings(
    rule: Rule, context: Context, is_wrong: Callable[[HandMask], bool], message: Message
) -> Iterator[Finding]:
    """A finding where a mask that is no demonstration is drawn wrong."""
    for mask in hand_written_masks(context):
        if is_wrong(mask) and not is_demonstration(context.module, mask.draw):
            yield rule.at(context.module, mask.draw, message, site=context.site_of(mask.draw))
