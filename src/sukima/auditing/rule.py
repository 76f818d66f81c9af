"""A rule: its code, why it matters, what to write instead, an example of each, and the checks that find it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from sukima.auditing.source.context import Context
from sukima.auditing.source.names import Module
from sukima.base.messages import Language, Message
from sukima.records.finding import Finding, Fix
from sukima.records.model_view import ModelView, Operation

__all__ = ["Rule"]

SourceCheck: TypeAlias = Callable[[Context], Iterable[Finding]]
ViewCheck: TypeAlias = Callable[[ModelView], Iterable[Finding]]


@dataclass(eq=False)
class Rule:
    """One rule. ``why`` and ``remedy`` are English; their Japanese stands in the catalogue under the code."""

    code: str
    slug: str
    why: str
    remedy: str
    bad: str
    good: str
    references: tuple[str, ...] = ()
    source_checks: list[SourceCheck] = field(default_factory=list)
    view_checks: list[ViewCheck] = field(default_factory=list)

    def source(self, check: SourceCheck) -> SourceCheck:
        """Register a check of one file."""
        self.source_checks.append(check)
        return check

    def view(self, check: ViewCheck) -> ViewCheck:
        """Register a check of one model, live or read from source."""
        self.view_checks.append(check)
        return check

    def text(self, what: str) -> Message:
        """``why`` or ``remedy`` as a text in two languages."""
        return _RuleText(getattr(self, what), code=f"{self.code}.{what}")

    def at(
        self, module: Module, node: ast.AST, message: Message, *, site: str | None = None, fix: Fix | None = None
    ) -> Finding:
        """A finding at a place in the source."""
        return Finding(
            self.code,
            message,
            module.path,
            getattr(node, "lineno", 1),
            getattr(node, "col_offset", 0),
            site,
            self.text("remedy"),
            fix,
        )

    def on(self, operation: Operation, message: Message) -> Finding:
        """A finding about an operation of a model."""
        return Finding(
            self.code, message, operation.path, operation.line, operation.column, operation.site, self.text("remedy")
        )

    def seen(self, message: Message, site: str | None = None) -> Finding:
        """A finding about a running model."""
        return Finding(self.code, message, site=site, remedy=self.text("remedy"))


@dataclass(frozen=True)
class _RuleText(Message):
    """A text whose Japanese is catalogued under the rule's code, since it is long; it takes no values."""

    code: str = ""

    def __init__(self, template: str, code: str) -> None:
        super().__init__(template)
        object.__setattr__(self, "code", code)

    def text(self, lang: Language | None = None) -> str:
        from sukima.base.japanese import CATALOGUE
        from sukima.base.messages import current_language

        if (lang or current_language()) == "ja":
            return CATALOGUE.get(self.code, self.template)
        return self.template
