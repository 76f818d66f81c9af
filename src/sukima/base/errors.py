"""The errors that a user's mistake raises.

Every message is one line that names the argument, what was expected and what came. The command line prints it
without a stack trace and exits with code 2.
"""

from __future__ import annotations

from typing import Any

from sukima.base.messages import Message

__all__ = ["InputError", "MissingDependencyError", "SukimaError"]


class SukimaError(Exception):
    """Base of every error that sukima raises on purpose; its text follows the language in force."""

    # Keras makes a new error of one that is raised in a layer's call, unless it has this: ours would lose its values.
    _keras_call_info_injected = True

    def __init__(self, template: str, /, **values: Any) -> None:
        self.message = Message(template, values)
        super().__init__(template, values)

    def __str__(self) -> str:
        return str(self.message)


class InputError(SukimaError, ValueError):
    """An argument or a file is not what was expected; also a ``ValueError``, which callers may expect."""


class MissingDependencyError(SukimaError, ImportError):
    """Something optional is needed and not installed; the message gives the command that installs it."""
