"""What is wrong with a command as it was typed, in one line and in the language in force."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sukima.base.messages import LANGUAGES, Message, say

__all__ = ["usage_message"]


def usage_message(error: Exception, arguments: Sequence[str]) -> str:
    """The parser's ``error`` in our words; in its own where it is one that we do not know.

    The kinds of error are known by their names: their classes are private to Typer.
    """
    parameter: Any = getattr(error, "param", None)
    name = (parameter.metavar if parameter.param_type_name == "argument" else parameter.opts[0]) if parameter else ""
    match type(error).__name__:
        case "NoSuchOption":
            option: Any = getattr(error, "option_name", "")
            return str(say("{option}: there is no such option", option=option))
        case "MissingParameter":
            return str(say("{name} must be given, got nothing", name=name))
        case "BadParameter" if parameter is not None and (expected := _expected(parameter)) is not None:
            value = repr(_typed(parameter.opts, arguments))
            return str(say("{name} must be {expected}, got {value}", name=name, expected=expected, value=value))
    text = str(getattr(error, "message", error))
    if text.startswith("No such command"):
        return str(say("{command}: there is no such command", command=text.split("'")[1] if "'" in text else ""))
    return text


def _expected(parameter: Any) -> Message | str | None:
    if "--lang" in parameter.opts:
        return " | ".join(LANGUAGES)
    minimum = getattr(parameter, "min", None)
    return None if minimum is None else say("a whole number of at least {minimum}", minimum=minimum)


def _typed(names: Sequence[str], arguments: Sequence[str]) -> str:
    """The value that was typed for an option."""
    for here, following in zip(arguments, [*arguments, ""][1:], strict=False):
        option, separator, value = here.partition("=")
        if option in names:
            return value if separator else following
    return ""
