"""What more epochs would give, in words: so much of the loss, so many points of accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple

from sukima.base.messages import Message, say
from sukima.diagnosis.curves import Curves
from sukima.diagnosis.forecast import Forecast, errors_of, forecast
from sukima.diagnosis.signals.gap import end_level

__all__ = ["Ahead", "ahead", "outlook", "pooled_forecast"]


class Ahead(NamedTuple):
    """A path with its 95 % interval: epochs, and at each the level and the ends of the interval."""

    epochs: tuple[int, ...]
    levels: tuple[float, ...]
    lows: tuple[float, ...]
    highs: tuple[float, ...]


def ahead(run: Curves, points: int) -> Ahead:
    """Where validation would go in twice the epochs more, from its end on, at about so many epochs."""
    last, end = run.epochs, end_level(run.validation)
    found = [
        forecast(run, more) for more in sorted({max(1, round(2 * last * k / points)) for k in range(1, points + 1)})
    ]
    return Ahead(
        (last, *(last + one.epochs for one in found)),
        (end, *(end - one.gain for one in found)),
        (end, *(end - one.high for one in found)),
        (end, *(end - one.low for one in found)),
    )


def outlook(runs: Sequence[Curves], epochs: int) -> Message:
    """The gain of that many epochs more with its 95 % interval: in points where accuracies are known, else in loss."""
    if not all(len(run.validation_share) for run in runs):
        expected = pooled_forecast(runs, epochs)
        return say(
            "another {epochs} epochs would change the validation loss by {change:+.2g} ({low:+.2g} to {high:+.2g})",
            epochs=epochs,
            change=-expected.gain,
            low=-expected.high,
            high=-expected.low,
        )
    expected = pooled_forecast([errors_of(run) for run in runs], epochs)
    return say(
        "another {epochs} epochs would gain {gain:.1f} points of accuracy ({low:.1f} to {high:.1f})",
        epochs=epochs,
        gain=100 * expected.gain,
        low=100 * expected.low,
        high=100 * expected.high,
    )


def pooled_forecast(runs: Sequence[Curves], epochs: int) -> Forecast:
    """The mean over the seeds, and an interval no narrower than theirs: what surprises one surprises all."""
    found = [forecast(run, epochs) for run in runs]
    return Forecast(epochs, *(fmean(part) for part in list(zip(*found, strict=True))[1:]))
