"""What more epochs would give, in words: so much of the loss, so many points of accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from sukima.base.messages import Message, say
from sukima.diagnosis.curves import Curves
from sukima.diagnosis.forecast import Forecast, errors_of, forecast

__all__ = ["outlook", "pooled_forecast"]


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
