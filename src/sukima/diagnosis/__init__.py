"""From the curves of a run to a verdict: readers of histories, signals measured in them, the verdict and its advice."""

from __future__ import annotations

from sukima.diagnosis.verb import diagnose
from sukima.diagnosis.verdict import judge

__all__ = ["diagnose", "judge"]
