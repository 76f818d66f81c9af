"""``--lang``: the language of everything a command shows, its help included."""

from __future__ import annotations

from collections.abc import Sequence

from sukima.base.messages import LANGUAGES, set_language

__all__ = ["choose_language"]


def choose_language(arguments: Sequence[str]) -> None:
    """Set the language that ``--lang`` names among the arguments, if it does; wrong ones are refused later."""
    for here, following in zip(arguments, [*arguments, ""][1:], strict=True):
        value = following if here == "--lang" else here.removeprefix("--lang=") if here.startswith("--lang=") else ""
        for known in LANGUAGES:
            if value == known:
                set_language(known)
