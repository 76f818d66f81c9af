"""Texts in two languages.

A text is written in English where it is used, as a ``str.format`` template inside `Message`; its Japanese stands in
`sukima.base.japanese` under that template. The choice of language is made when the text is shown, not when it is
made, so that one verdict can be shown in both (the report page does).
"""

from __future__ import annotations

import contextvars
import locale
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["LANGUAGES", "Language", "Message", "current_language", "language", "say", "set_language"]

Language = Literal["en", "ja"]
LANGUAGES: tuple[Language, ...] = ("en", "ja")

_chosen: contextvars.ContextVar[Language | None] = contextvars.ContextVar("sukima_language", default=None)


def _from_environment() -> Language:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return "ja" if value.lower().startswith("ja") else "en"
    return "ja" if (locale.getlocale()[0] or "").lower().startswith("ja") else "en"


def current_language() -> Language:
    """The language in force: the one set by `set_language` or `language`, else the locale's."""
    return _chosen.get() or _from_environment()


def set_language(value: Language | None) -> None:
    """Choose the language of everything shown from now on; ``None`` goes back to the locale's."""
    _chosen.set(value)


@contextmanager
def language(value: Language) -> Iterator[None]:
    """Show texts in this language inside the ``with`` block."""
    token = _chosen.set(value)
    try:
        yield
    finally:
        _chosen.reset(token)


@dataclass(frozen=True)
class Message:
    """A text with its values, not yet in any language. ``str()`` gives it in the language in force.

    Values may be messages themselves.
    """

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def text(self, lang: Language | None = None) -> str:
        """The text in ``lang``, by default the language in force; English where Japanese is missing."""
        lang = lang or current_language()
        template = self.template
        if lang == "ja":
            from sukima.base.japanese import CATALOGUE

            template = CATALOGUE.get(template, template)
        values = {k: v.text(lang) if isinstance(v, Message) else v for k, v in self.values.items()}
        return template.format(**values)

    def __str__(self) -> str:
        return self.text()


def say(template: str, /, **values: Any) -> Message:
    """Make a `Message`: ``say("{count} epochs", count=3)``."""
    return Message(template, values)
