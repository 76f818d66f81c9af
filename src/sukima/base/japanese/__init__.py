"""The Japanese of every text, under its English template; one file a subject, each with a table ``TEXTS``.

A test fails where a template has no Japanese or where the two name different values.
"""

from __future__ import annotations

import importlib
import pkgutil

__all__ = ["CATALOGUE"]

CATALOGUE: dict[str, str] = {
    template: text
    for subject in pkgutil.iter_modules(__path__)
    for template, text in importlib.import_module(f"{__name__}.{subject.name}").TEXTS.items()
}
