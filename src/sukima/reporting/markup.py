"""Building HTML and SVG so that nothing from a user can become markup: every string is escaped unless it is `Html`."""

from __future__ import annotations

import html
from collections.abc import Iterable

from sukima.base.messages import LANGUAGES
from sukima.reporting.text import Text, in_language

__all__ = ["Html", "both", "element", "join", "svg_text", "void"]

_SHAPES = {"line", "rect", "circle", "path", "use"}
"""SVG elements without content, which XML closes with a slash."""


class Html(str):
    """Markup. Any other string is text, and is escaped where it meets markup."""


def _escaped(text: str) -> str:
    return text if isinstance(text, Html) else html.escape(text)


def join(parts: Iterable[str], between: str = "") -> Html:
    """Markup or text, one after another."""
    return Html(between.join(_escaped(part) for part in parts))


def _attributes(attributes: dict[str, str | float | bool | None]) -> str:
    written = []
    for name, value in attributes.items():
        name = name.rstrip("_").replace("_", "-")
        if value is True:
            written.append(f" {name}")
        elif value is not None and value is not False:
            text = f"{value:.6g}" if isinstance(value, float) else str(value)
            written.append(f' {name}="{html.escape(text)}"')
    return "".join(written)


def element(name: str, /, *children: str, **attributes: str | float | bool | None) -> Html:
    """An element; a trailing underscore in an attribute's name is dropped, others become hyphens."""
    return Html(f"<{name}{_attributes(attributes)}>{join(children)}</{name}>")


def void(name: str, /, **attributes: str | float | bool | None) -> Html:
    """An element without content."""
    return Html(f"<{name}{_attributes(attributes)}{'/' if name in _SHAPES else ''}>")


def both(text: Text) -> Html:
    """A text in both languages, of which the page shows one; a name as it is, isolated from what is around it."""
    return _in_both(text, "span", "bdi")


def svg_text(text: Text) -> Html:
    """As `both`, inside an SVG ``text`` element."""
    return _in_both(text, "tspan", "tspan")


def _in_both(text: Text, name: str, plain: str) -> Html:
    texts = [in_language(text, language) for language in LANGUAGES]
    if len(set(texts)) == 1:
        return element(plain, texts[0]) if texts[0] else Html("")
    return join(element(name, shown, lang=language) for language, shown in zip(LANGUAGES, texts, strict=True))
