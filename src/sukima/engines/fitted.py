"""What one training run gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sukima.records.result import Trial

__all__ = ["Fitted"]


@dataclass(frozen=True)
class Fitted:
    """A trained model, at its best-validation checkpoint, with the trial that made it."""

    model: Any
    trial: Trial
