"""Dropout and regularization done properly.

Every public name is imported when first used, so that ``import sukima`` stays fast and needs no framework.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_HOME: dict[str, str] = {
    "Activity": "sukima.records.penalty",
    "Constant": "sukima.records.schedule",
    "Cosine": "sukima.records.schedule",
    "Curriculum": "sukima.records.schedule",
    "Dimension": "sukima.tuning.dimension",
    "Early": "sukima.records.schedule",
    "ElasticNet": "sukima.records.penalty",
    "GroupLasso": "sukima.records.penalty",
    "History": "sukima.records.history",
    "L1": "sukima.records.penalty",
    "L2": "sukima.records.penalty",
    "Late": "sukima.records.schedule",
    "Linear": "sukima.records.schedule",
    "MaskKey": "sukima.masks.key",
    "MaxNorm": "sukima.records.constraint",
    "NonNegative": "sukima.records.constraint",
    "Orthogonal": "sukima.records.penalty",
    "Recipe": "sukima.records.recipe",
    "Space": "sukima.tuning.space",
    "Task": "sukima.records.task",
    "UnitNorm": "sukima.records.constraint",
    "accelerate": "sukima.workflow.models",
    "apply": "sukima.workflow.models",
    "audit": "sukima.auditing.api",
    "compare": "sukima.workflow.compare",
    "demo_task": "sukima.workflow.demo",
    "diagnose": "sukima.diagnosis",
    "fit": "sukima.workflow.models",
    "report": "sukima.workflow.models",
    "sites": "sukima.workflow.models",
    "tune": "sukima.workflow.tune",
    "tune_objective": "sukima.workflow.objective",
    "watch": "sukima.auditing.watch",
}

__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module 'sukima' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
