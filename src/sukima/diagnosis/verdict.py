"""The verdict: signals of one run, or of several seeds of one configuration, combined."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, median

from sukima.base.checks import check_instance
from sukima.base.errors import InputError
from sukima.base.messages import Message, say
from sukima.diagnosis.curves import Curves, curves_of
from sukima.diagnosis.rules import HIGH, LOW, WIDE, judge_row
from sukima.diagnosis.signals.gap import end_level, gap_at_end
from sukima.diagnosis.signals.onset import Turn, turn_of
from sukima.diagnosis.signals.progress import end_trend
from sukima.records.history import History
from sukima.records.verdict import Conclusion, Verdict

__all__ = ["judge"]

SHORT = 4
"""Below so many epochs a curve has no noise level, and the threshold rules decide alone."""


def judge(histories: Sequence[History], *, source: str = "") -> Verdict:
    """The verdict on one configuration from the histories of its seeds.

    Raises ``InputError`` where there is no history, or where one lacks curves or has unequal ones or values that are
    not finite before finite ones. A curve whose end is NaN or Inf is judged: it diverged.
    """
    for history in histories:
        check_instance("histories", history, History)
    if not histories:
        raise InputError("{name} must not be empty, got no rows", name="histories")
    runs = [curves_of(history) for history in histories]
    lost = [run.lost for run in runs if run.lost is not None]
    stopped = [history for history in histories if history.status == "diverged"]
    gap = fmean(gap_at_end(run.train, run.validation) for run in runs) if runs[0].is_loss else None
    if lost or stopped:
        verdict, confidence, evidence = _diverged(lost)
        return Verdict(verdict, gap=gap, confidence=confidence, evidence=tuple(evidence), source=source)
    if min(run.epochs for run in runs) < SHORT:
        verdict, confidence, evidence = _short(runs)
        return Verdict(verdict, gap=gap, confidence=confidence, evidence=tuple(evidence), source=source)
    verdict, onset, confidence, evidence = _long(runs)
    return Verdict(verdict, onset_epoch=onset, gap=gap, confidence=confidence, evidence=tuple(evidence), source=source)


def _diverged(lost: list[int]) -> tuple[Conclusion, float, list[Message]]:
    if lost:
        return "diverged", 0.99, [say("the curve stops being finite at epoch {epoch}", epoch=min(lost))]
    return "diverged", 0.99, [say("the run itself was stopped as diverged")]


def _short(runs: Sequence[Curves]) -> tuple[Conclusion, float, list[Message]]:
    if all(len(run.train_share) for run in runs):
        train = fmean(float(run.train_share[-1]) for run in runs)
        validation = fmean(float(run.validation_share[-1]) for run in runs)
        return judge_row(train, validation)
    few = say("{count} epochs without an accuracy are too few to judge", count=min(run.epochs for run in runs))
    return "unclear", 0.2, [few]


def _long(runs: Sequence[Curves]) -> tuple[Conclusion, int | None, float, list[Message]]:
    train = fmean(end_level(run.train) for run in runs)
    validation = fmean(end_level(run.validation) for run in runs)
    evidence = [
        say(
            "at the end training is at {train:.4g} and validation at {validation:.4g}",
            train=train,
            validation=validation,
        )
    ]
    if all(run.train[-1] > run.train[0] and end_level(run.train) > run.train[0] for run in runs):
        return "diverged", None, 0.9, [*evidence, say("training ended worse than it started")]
    turns = [turn_of(run.validation) for run in runs]
    rise, error = _pooled(turns)
    falls = all(end_level(run.train) < run.train[0] for run in runs)
    if falls and rise > 3 * error and rise > max(0.005, 0.01 * abs(turns[0].best)):
        onset = round(median(int(run.epoch[turn.index]) for run, turn in zip(runs, turns, strict=True))) + 1
        evidence.append(
            say(
                "validation has risen by {rise:.4g} (noise {error:.2g}) since epoch {epoch} while training fell",
                rise=rise,
                error=error,
                epoch=onset - 1,
            )
        )
        return "overfitting", onset, min(0.95, 0.6 + 0.02 * rise / max(error, rise / 20)), evidence
    shares = [(float(run.train_share[-1]), float(run.validation_share[-1])) for run in runs if len(run.train_share)]
    if shares:
        train_share, validation_share = fmean(t for t, _ in shares), fmean(v for _, v in shares)
        if train_share >= HIGH and train_share - validation_share >= WIDE:
            verdict, confidence, more = judge_row(train_share, validation_share)
            return verdict, None, confidence, [*evidence, *more]
    # The last quarter shows whether the fall of the last half is already over.
    trends = [(end_trend(run.validation), end_trend(run.validation, 0.25)) for run in runs]
    gain = fmean(min(trend.gain(3) for trend in both) for both in trends)
    if gain > 0.05 * abs(validation) and fmean(min(trend.sigmas for trend in both) for both in trends) > 2:
        evidence.append(
            say("validation still falls: three times the epochs would take off about {gain:.2g}", gain=gain)
        )
        return "unfinished", None, 0.7, evidence
    if shares and max(train_share, validation_share) < LOW and train_share - validation_share < WIDE / 2:
        verdict, confidence, more = judge_row(train_share, validation_share)
        return verdict, None, confidence, [*evidence, *more]
    evidence.append(say("validation neither rises nor still falls by more than noise"))
    return "healthy", None, 0.7, evidence


def _pooled(turns: Sequence[Turn]) -> tuple[float, float]:
    """Mean rise over the seeds and its standard error."""
    rise = fmean(turn.rise for turn in turns)
    within = sum(turn.error**2 for turn in turns) ** 0.5 / len(turns)
    if len(turns) == 1:
        return rise, within
    between = (sum((turn.rise - rise) ** 2 for turn in turns) / (len(turns) - 1) / len(turns)) ** 0.5
    return rise, max(within, between)
