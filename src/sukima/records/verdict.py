"""The verdict: what diagnose concludes from a history, with its evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sukima.base.messages import Message
from sukima.records.recipe import Recipe

__all__ = ["Conclusion", "Verdict"]

Conclusion = Literal["overfitting", "underfitting", "healthy", "unfinished", "diverged", "mismatched", "unclear"]


@dataclass(frozen=True)
class Verdict:
    """One conclusion about one history.

    Attributes:
        verdict: the conclusion.
        onset_epoch: the epoch (from 1) with which overfitting began, if it did.
        gap: validation loss minus training loss at the end; ``None`` without losses.
        confidence: how sure, in [0, 1].
        evidence: what was seen, in words and numbers.
        advice: what to do next.
        source: what was judged: a file, an arm, a run.
        recipe: what to try next, if the advice can be put as a recipe.
    """

    verdict: Conclusion
    onset_epoch: int | None = None
    gap: float | None = None
    confidence: float = 0.0
    evidence: tuple[Message, ...] = ()
    advice: tuple[Message, ...] = ()
    source: str = ""
    recipe: Recipe | None = None

    def to_dict(self) -> dict[str, Any]:
        """The stable form for machines, texts in the language in force."""
        return {
            "source": self.source,
            "verdict": self.verdict,
            "onset_epoch": self.onset_epoch,
            "gap": self.gap,
            "confidence": self.confidence,
            "evidence": [str(message) for message in self.evidence],
            "advice": [str(message) for message in self.advice],
        }
