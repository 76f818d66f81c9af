"""Texts as a reader may safely see them: in either language, with nothing hidden in a name.

A name that came from a user may hold control characters, terminal escapes or marks that reverse the reading
direction. They are shown as escapes (``\\x1b``, ``\\u202e``), and right-to-left names cannot disturb what is around.
"""

from __future__ import annotations

import numbers
import unicodedata

from sukima.base.messages import Language, Message

__all__ = ["Text", "in_language", "visible"]

Text = Message | str
"""A `Message` is shown in the reader's language; a string is a name or a number and is shown as it is."""

_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp", "Co", "Cn"}
_JOINERS = "\u200c\u200d\ufe0f"
"""Format characters that emoji and several scripts are written with, and that deceive nobody."""

_FIRST_STRONG, _POP = "\u2068", "\u2069"


def visible(text: str, *, lines: bool = False) -> str:
    """``text`` with everything that has no shape of its own written as an escape; ``lines`` keeps line breaks."""
    return "".join(c if _harmless(c) or (lines and c == "\n") else _escape(c) for c in text)


def _harmless(character: str) -> bool:
    if character.isascii():
        return character.isprintable()
    return character in _JOINERS or _is_tag(character) or unicodedata.category(character) not in _HIDDEN


def _is_tag(character: str) -> bool:
    return 0xE0020 <= ord(character) <= 0xE007F  # in the flags of England, Scotland and Wales


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def in_language(text: Text, language: Language) -> str:
    """``text`` in ``language``, made `visible`; right-to-left names inside a sentence are isolated from it."""
    if isinstance(text, str):
        return visible(text)
    values = {name: _value(value, language) for name, value in text.values.items()}
    return Message(text.template, values).text(language)


def _value(value: object, language: Language) -> object:
    if isinstance(value, Message):
        return in_language(value, language)
    if isinstance(value, numbers.Number):
        return value  # the template may say how it is written
    shown = visible(str(value))
    right_to_left = any(unicodedata.bidirectional(c) in ("R", "AL", "AN") for c in shown)
    return f"{_FIRST_STRONG}{shown}{_POP}" if right_to_left else shown
