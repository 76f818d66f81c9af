"""The report as a page: one file that needs nothing else, in two languages, light and dark.

Drawings, switches and tabs work without script; the script adds reading of values, hiding of curves, zoom and copying.
A content security policy in the page lets no other script run and nothing be loaded.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import sukima
from sukima.base.messages import Language, current_language, say
from sukima.reporting.blocks import Document, Section
from sukima.reporting.html_blocks import Page
from sukima.reporting.markup import Html, both, element, join, void
from sukima.reporting.text import Text, in_language

__all__ = ["page_html", "write_html"]


_SCRIPTS = ("controls.js", "charts.js", "masks.js")


def write_html(document: Document, path: str | Path) -> None:
    """Write ``document`` as a self-contained page."""
    Path(path).write_text(page_html(document), encoding="utf-8")


def page_html(document: Document) -> str:
    """The page's text; it opens in the language in force and can be switched."""
    language = current_language()
    page = Page()
    sections = [_section(section, page) for section in document.sections]
    script = "".join(map(_resource, _SCRIPTS))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    slots = {
        "language": language,
        "hash": f"sha256-{digest}",
        "version": sukima.__version__,
        "title": _title(document, language),
        "style": _resource("page.css"),
        "switches": _switches(language),
        "body": join([_masthead(document), *sections], "\n"),
        "footer": both(say("Made by sukima {version}", version=sukima.__version__)),
        "data": embedded_json({"charts": page.charts, "networks": page.networks}),
        "script": script,
    }
    return _fill(_resource("template.html"), slots)


def _fill(template: str, slots: dict[str, str]) -> str:
    """Fill every slot in one pass, so that no text can bring a slot of its own."""
    return re.sub(r"\{\{(\w+)\}\}", lambda match: slots[match[1]], template)


def _resource(name: str) -> str:
    return resources.files("sukima.reporting").joinpath("page", name).read_text(encoding="utf-8")


def embedded_json(value: object) -> str:
    """JSON that is safe inside a script element: nothing in it can end the element or begin another."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _title(document: Document, language: Language) -> Html:
    texts = (in_language(document.subject, language), in_language(document.title, language))
    return join([" – ".join(text for text in texts if text)])


def _masthead(document: Document) -> Html:
    links = [element("a", both(section.title), href=f"#{section.name}") for section in document.sections]
    return element(
        "div",
        element("p", both(document.title), class_="kicker"),
        element("h1", both(document.subject)),
        element("nav", *links, class_="contents"),
        class_="masthead",
    )


def _section(section: Section, page: Page) -> Html:
    blocks = [page.draw(block) for block in section.blocks]
    return element("section", element("h2", both(section.title)), *blocks, id=section.name)


def _switches(language: Language) -> Html:
    languages = [("en", "English", language == "en"), ("ja", "日本語", language == "ja")]
    themes = [("auto", say("auto"), True), ("light", say("light"), False), ("dark", say("dark"), False)]
    return join(
        [
            _switch("language", say("Language"), [(v, Html(label), on) for v, label, on in languages]),
            _switch("theme", say("Colours"), [(v, both(label), on) for v, label, on in themes]),
        ]
    )


def _switch(name: str, legend: Text, options: Sequence[tuple[str, Html, bool]]) -> Html:
    inputs = [
        element("label", void("input", type="radio", name=name, value=value, id=f"{name}-{value}", checked=on), label)
        for value, label, on in options
    ]
    return element("fieldset", element("legend", both(legend)), *inputs)
