"""What was seen, in words and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, median

from sukima.base.messages import Message, say
from sukima.diagnosis.advice import confident_errors
from sukima.diagnosis.curves import Curves
from sukima.diagnosis.outlook import pooled_forecast
from sukima.diagnosis.signals.dropout_on import share_below_training
from sukima.diagnosis.signals.gap import end_level, gap_trend
from sukima.diagnosis.signals.kink import kinks
from sukima.diagnosis.signals.learning_rate import drops
from sukima.diagnosis.signals.onset import Turn, turn_of
from sukima.diagnosis.signals.plateau import plateau_since
from sukima.diagnosis.signals.windows import best_epoch_of
from sukima.records.verdict import Conclusion

__all__ = ["evidence_for", "levels", "onset_of", "pooled_rise"]


def evidence_for(verdict: Conclusion, runs: Sequence[Curves]) -> list[Message]:
    """The evidence for a verdict on these runs, what decides first."""
    seen = [levels(runs), _rise(runs)]
    if verdict in ("unfinished", "underfitting", "healthy", "unclear"):
        seen += [*_forecast(runs), *_plateau(runs)]
    if verdict in ("overfitting", "healthy") and (widening := _widening(runs)):
        seen.append(widening)
    if verdict == "overfitting" and confident_errors(runs):
        seen.append(say("the validation accuracy holds while the loss rises: errors are not more but surer"))
    return [*seen, *_reservations(runs)]


def levels(runs: Sequence[Curves]) -> Message:
    """Where both curves ended."""
    train = fmean(end_level(run.train) for run in runs)
    validation = fmean(end_level(run.validation) for run in runs)
    return say(
        "at the end training is at {train:.4g} and validation at {validation:.4g}: a gap of {gap:.3g}",
        train=train,
        validation=validation,
        gap=validation - train,
    )


def onset_of(runs: Sequence[Curves]) -> int:
    """The first epoch of the rise: the one after the best, the median over the seeds."""
    return best_epoch_of(runs) + 1


def pooled_rise(turns: Sequence[Turn]) -> tuple[float, float]:
    """Mean rise over the seeds and its standard error."""
    rise = fmean(turn.rise for turn in turns)
    within = sum(turn.error**2 for turn in turns) ** 0.5 / len(turns)
    if len(turns) == 1:
        return rise, within
    between = (sum((turn.rise - rise) ** 2 for turn in turns) / (len(turns) - 1) / len(turns)) ** 0.5
    return rise, max(within, between)


def _rise(runs: Sequence[Curves]) -> Message:
    turns = [turn_of(run.validation) for run in runs]
    rise, error = pooled_rise(turns)
    if rise <= 0:
        return say("validation has not risen; its best is its end")
    best = best_epoch_of(runs)
    fell = fmean(float(run.train[turn.index]) - end_level(run.train) for run, turn in zip(runs, turns, strict=True))
    if fell > 0:
        return say(
            "since epoch {epoch} validation has risen by {rise:.3g} (noise {error:.1g}), training fell by {fell:.3g}",
            epoch=best,
            rise=rise,
            error=error,
            fell=fell,
        )
    return say(
        "since epoch {epoch} validation has risen by {rise:.3g} (noise {error:.1g}), and training did not fall",
        epoch=best,
        rise=rise,
        error=error,
    )


_TELLING = 0.5
"""Half width of a forecast's interval, as a share of the loss, above which it is no evidence of anything."""


def _forecast(runs: Sequence[Curves]) -> list[Message]:
    expected = pooled_forecast(runs, 2 * round(fmean(run.epochs for run in runs)))
    level = fmean(abs(end_level(run.validation)) for run in runs) or 1.0
    if (expected.high - expected.low) / 2 > _TELLING * level:
        return []
    message = say(
        "three times the epochs would change validation by about {change:+.1f} % ({low:+.1f} to {high:+.1f})",
        change=-100 * expected.gain / level,
        low=-100 * expected.high / level,
        high=-100 * expected.low / level,
    )
    return [message]


def _plateau(runs: Sequence[Curves]) -> list[Message]:
    begun = [plateau_since(run.validation) for run in runs]
    epochs = [int(run.epoch[at]) for run, at in zip(runs, begun, strict=True) if at is not None]
    if len(epochs) < len(runs):
        return []
    return [say("validation has been level, within its noise, since epoch {epoch}", epoch=round(median(epochs)))]


def _widening(runs: Sequence[Curves]) -> Message | None:
    trends = [gap_trend(run.train, run.validation) for run in runs]
    if min(-trend.sigmas for trend in trends) < 3:
        return None
    doubling = fmean(trend.slope for trend in trends) * 0.693
    return say("the gap still widens, by {growth:.2g} with each doubling of the epochs", growth=doubling)


def _reservations(runs: Sequence[Curves]) -> list[Message]:
    """What makes the curves hard to compare."""
    seen = []
    if fmean(share_below_training(run.train, run.validation) for run in runs) > 0.5 and not all(
        run.in_inference_mode for run in runs
    ):
        seen.append(
            say(
                "validation is mostly better than training: training looks measured with dropout on, or as a running "
                "mean, so that the true gap is wider"
            )
        )
    return [*seen, *_kink(runs[0])]


def _kink(run: Curves) -> list[Message]:
    """The first sudden drop of training, and whether the learning rate explains it."""
    found = kinks(run.train)
    lowered = [at for at in drops(run.learning_rate) if not found or abs(at - found[0]) <= 1]
    if lowered:
        at = lowered[0]
        values = {"before": float(run.learning_rate[at - 1]), "after": float(run.learning_rate[at])}
        if found:
            return [
                say(
                    "training drops suddenly at epoch {epoch}, where the learning rate went from {before:g} to "
                    "{after:g}",
                    epoch=int(run.epoch[at]),
                    **values,
                )
            ]
        return [
            say(
                "the learning rate went from {before:g} to {after:g} at epoch {epoch}, and the curves show no kink",
                epoch=int(run.epoch[at]),
                **values,
            )
        ]
    if not found:
        return []
    epoch = int(run.epoch[found[0]])
    if len(run.learning_rate):
        return [say("training drops suddenly at epoch {epoch}, and the learning rate does not explain it", epoch=epoch)]
    return [say("training drops suddenly at epoch {epoch}, as when the learning rate is lowered", epoch=epoch)]
