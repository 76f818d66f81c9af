"""Dropout and regularization done properly.

Every public name is imported when first used, so that ``import sukima`` stays fast and needs no framework.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_HOME: dict[str, str] = {
    "ElasticNet": "sukima.records.penalty",
    "History": "sukima.records.history",
    "L1": "sukima.records.penalty",
    "L2": "sukima.records.penalty",
    "Recipe": "sukima.records.recipe",
    "Task": "sukima.records.task",
}

__all__ = ["L1", "L2", "ElasticNet", "History", "Recipe", "Task", "__version__"]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module 'sukima' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
