"""Who calls a function from other files, and whether they switch the mode of models around it."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path

from sukima.auditing.source.context import Context
from sukima.auditing.source.discovery import discover
from sukima.auditing.source.names import Function
from sukima.auditing.source.places import is_project_root
from sukima.auditing.source.reading import UnreadableError, read

__all__ = ["callers_leave_the_mode"]

_SWITCHES = re.compile(r"\.eval\(|\.train\((mode=)?(False|self|is_|mode)|LightningModule|Trainer\b|unittest|pytest")
_TRAINERS = re.compile(r"LightningModule|Trainer\(")
_FILES = 400


def callers_leave_the_mode(context: Context, function: Function) -> bool:
    """Whether it is up to this function to switch: no caller does, and it stands in no library for others to call."""
    origin = context.project.paths.get(context.module)
    if origin is None or _TRAINERS.search(context.module.source.text):
        return origin is None
    stem = origin.stem if origin.stem != "__init__" else origin.parent.name
    called = re.compile(rf"\b{re.escape(function.name)}\s*\(")
    named = re.compile(rf"\b{re.escape(stem)}\b")
    callers = [text for text in _texts(context, origin) if called.search(text) and named.search(text)]
    if callers:
        return not any(_SWITCHES.search(text) for text in callers)
    # Who trains beside it, and nowhere switches, leaves it to nobody else.
    return not (origin.parent / "__init__.py").is_file() or ".train()" in context.module.source.text


def _texts(context: Context, origin: Path) -> list[str]:
    """The other files of the project, at most some hundreds."""
    root = origin.parent
    for _ in range(6):
        inside = (root / "__init__.py").is_file()
        if is_project_root(root) or root.parent == root or not (inside or is_project_root(root.parent)):
            break
        root = root.parent
    known = context.project.texts
    if root not in known:
        known[root] = {}
        for path in islice(discover([root]), _FILES):
            try:
                known[root][path] = read(path, str(path)).text
            except UnreadableError:
                continue
    return [text for path, text in known[root].items() if path != origin]
