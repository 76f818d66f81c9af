"""The threshold rules of teaching: what a single row of training and validation accuracy says.

At least 95 % in training with validation 10 points or more behind is overfitting; a gap of 1 to 3 points is normal;
both low means underfitting.
"""

from __future__ import annotations

from sukima.base.messages import Message, say
from sukima.records.verdict import Conclusion

__all__ = ["HIGH", "LOW", "WIDE", "judge_row"]

HIGH = 0.95
"""Training accuracy that is very high."""
WIDE = 0.10
"""Gap of accuracy, as a fraction, that is wide."""
LOW = 0.80
"""Accuracy that is low for both; the rules give no number, and this lies between their examples of 70 and 85 %."""


def judge_row(train: float, validation: float) -> tuple[Conclusion, float, list[Message]]:
    """Conclusion, confidence and evidence from one row of accuracies, given as fractions.

    The confidence is the share of real runs whose last row said so and that were so (``benchmarks/diagnose``, every
    truth counting alike), but for a mismatch, of which there is none. One row does not tell whether a run is finished,
    and low accuracies have many reasons.
    """
    gap = round(train - validation, 9)
    seen = say(
        "training accuracy {train:.1f} %, validation {validation:.1f} %: a gap of {gap:.1f} points",
        train=100 * train,
        validation=100 * validation,
        gap=100 * gap,
    )
    if gap >= WIDE:
        if train >= HIGH:
            return "overfitting", 0.61, [seen, say("training is very high and validation far behind")]
        return "overfitting", 0.37, [seen, say("validation is 10 points or more behind")]
    if gap <= -WIDE:
        return "mismatched", 0.4, [seen, say("validation is far better than training")]
    if max(train, validation) < LOW:
        return (
            "underfitting",
            0.3,
            [seen, say("the gap is small and both are low: no overfitting, possibly underfitting")],
        )
    if gap <= 0.05:
        return "healthy", 0.47, [seen, say("the gap is normal")]
    return "unclear", 0.3, [seen, say("the gap is wider than normal and narrower than overfitting")]
