"""The verdict: signals of one run, or of several seeds of one configuration, combined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean

from sukima.base.checks import check_instance
from sukima.base.errors import InputError
from sukima.base.messages import Message, say
from sukima.diagnosis.advice import advise
from sukima.diagnosis.curves import Curves, curves_of
from sukima.diagnosis.evidence import evidence_for, levels, onset_of
from sukima.diagnosis.features import pooled_features
from sukima.diagnosis.known import Known
from sukima.diagnosis.model import least_confidence, probabilities
from sukima.diagnosis.rules import judge_row
from sukima.diagnosis.signals.divergence import has_diverged
from sukima.diagnosis.signals.dropout_on import share_below_training
from sukima.diagnosis.signals.gap import gap_at_end
from sukima.diagnosis.signals.scale import scale_factor
from sukima.records.history import History
from sukima.records.verdict import Conclusion, Verdict

__all__ = ["SHORT", "judge"]

SHORT = 4
"""Below so many epochs a curve has no noise level, and the threshold rules decide alone."""


@dataclass
class Finding:
    """A conclusion on its way to a verdict."""

    conclusion: Conclusion
    confidence: float
    evidence: list[Message] = field(default_factory=list)
    onset: int | None = None


def judge(histories: Sequence[History], *, source: str = "", known: Known | None = None) -> Verdict:
    """The verdict on one configuration from the histories of its seeds.

    Args:
        histories: one history a seed.
        source: what is judged, as reports call it.
        known: what is known beside the curves; the advice goes by it.

    Raises ``InputError`` where there is no history, or where one lacks curves or has unequal ones or values that are
    not finite before finite ones. A curve whose end is NaN or Inf is judged: it diverged.
    """
    for history in histories:
        check_instance("histories", history, History)
    if not histories:
        raise InputError("{name} must not be empty, got no rows", name="histories")
    runs = [curves_of(history) for history in histories]
    finding = (
        _diverged(runs, histories)
        or (_short(runs) if min(run.epochs for run in runs) < SHORT else None)
        or _mismatched(runs)
        or _weighed(runs)
    )
    advice = advise(finding.conclusion, runs, known or Known())
    return Verdict(
        finding.conclusion,
        onset_epoch=finding.onset,
        gap=fmean(gap_at_end(run.train, run.validation) for run in runs) if runs[0].is_loss else None,
        confidence=round(finding.confidence, 3),
        evidence=tuple(finding.evidence),
        advice=tuple(advice.messages),
        source=source,
        recipe=advice.recipe,
    )


def _diverged(runs: Sequence[Curves], histories: Sequence[History]) -> Finding | None:
    """A loss that is no number, a run that stopped itself for that, or training that ended worse than it began."""
    lost = [run.lost for run in runs if run.lost is not None]
    if lost:
        return Finding("diverged", 0.99, [say("the curve stops being finite at epoch {epoch}", epoch=min(lost))])
    if any(history.status == "diverged" for history in histories):
        return Finding("diverged", 0.99, [say("the run itself was stopped as diverged")])
    if all(run.epochs >= SHORT and has_diverged(run.train) for run in runs):
        return Finding("diverged", 0.9, [levels(runs), say("training ended worse than it started")])
    return None


def _short(runs: Sequence[Curves]) -> Finding:
    """The threshold rules on the last row."""
    if all(len(run.train_share) for run in runs):
        train = fmean(float(run.train_share[-1]) for run in runs)
        validation = fmean(float(run.validation_share[-1]) for run in runs)
        return Finding(*judge_row(train, validation))
    few = say("{count} epochs without an accuracy are too few to judge", count=min(run.epochs for run in runs))
    return Finding("unclear", 0.2, [few])


def _mismatched(runs: Sequence[Curves]) -> Finding | None:
    """Curves that cannot belong together: other scales, or validation that is far too easy."""
    factors = [scale_factor(run.train, run.validation) for run in runs if run.is_loss]
    known = [factor for factor in factors if factor is not None]
    if known and len(known) == len(runs):
        seen = say(
            "validation is {factor:.3g} times training from the first epoch on: a sum beside a mean, or other counts",
            factor=fmean(known),
        )
        return Finding("mismatched", 0.9, [levels(runs), seen])
    if all(run.in_inference_mode for run in runs) and all(
        share_below_training(run.train, run.validation) > 0.9
        and gap_at_end(run.train, run.validation) < -0.25 * abs(float(run.validation[-1]))
        for run in runs
    ):
        seen = say(
            "validation is far better than training, though both were measured in inference mode: validation data are "
            "easier, or training rows are among them"
        )
        return Finding("mismatched", 0.8, [levels(runs), seen])
    return None


def _weighed(runs: Sequence[Curves]) -> Finding:
    """The model's conclusion from all signals, or none where it is too unsure."""
    alone = all(not run.is_loss and len(run.train_share) > 0 for run in runs)
    shares = probabilities(pooled_features(runs), accuracies_alone=alone)
    conclusion = max(shares, key=lambda name: shares[name])
    confidence = shares[conclusion]
    if confidence < least_confidence(conclusion, accuracies_alone=alone):
        second = sorted(shares, key=lambda name: shares[name])[-2]
        torn = say(
            "the curves fit {first} ({share:.0f} %) hardly better than {second} ({other:.0f} %)",
            first=_NAMES[conclusion],
            share=100 * confidence,
            second=_NAMES[second],
            other=100 * shares[second],
        )
        return Finding("unclear", confidence, [*evidence_for("unclear", runs), torn])
    onset = onset_of(runs) if conclusion == "overfitting" else None
    return Finding(conclusion, confidence, evidence_for(conclusion, runs), onset)


_NAMES: dict[Conclusion, Message] = {
    "overfitting": say("overfitting"),
    "underfitting": say("underfitting"),
    "healthy": say("healthy"),
    "unfinished": say("unfinished"),
    "diverged": say("diverged"),
    "mismatched": say("mismatched"),
    "unclear": say("unclear"),
}
