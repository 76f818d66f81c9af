"""The verdict while training runs, and when to stop: patience against noise instead of a fixed number of epochs."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from sukima.base.checks import check_count, check_instance, check_number
from sukima.base.messages import Message, say
from sukima.diagnosis.curves import Curves, curves_of
from sukima.diagnosis.forecast import Forecast, forecast
from sukima.diagnosis.known import Known
from sukima.diagnosis.outlook import outlook
from sukima.diagnosis.signals.extrapolation import extrapolate
from sukima.diagnosis.signals.gap import end_level
from sukima.diagnosis.signals.onset import turn_of
from sukima.diagnosis.signals.windows import best_epoch_of
from sukima.diagnosis.verdict import SHORT, judge
from sukima.records.history import History
from sukima.records.verdict import Verdict

__all__ = ["Monitor"]


@dataclass
class Monitor:
    """Follows a training run, epoch by epoch.

    It calls for a stop where

    - a loss is not finite;
    - the smoothed validation loss has risen above its best by ``sigmas`` standard errors in two epochs in a row, and
      the best lies at least a tenth of the run behind: a jump of one epoch never stops a run, however large, and a
      slow rise on a quiet curve stops it early;
    - or nothing is left to gain: as many epochs more would, by the upper end of the forecast's interval, take less
      than ``worth`` of it off the validation loss.

    >>> monitor = Monitor()
    >>> for epoch in range(100):
    ...     verdict = monitor.update(train_loss=1 / (epoch + 1), validation_loss=1 / (epoch + 1) + 0.01 * epoch)
    ...     if monitor.should_stop:
    ...         break
    >>> monitor.best_epoch, verdict.verdict
    (10, 'overfitting')

    Attributes:
        sigmas: standard errors that the rise must reach.
        worth: share of the validation loss that further training must promise; 0 never stops for that.
        least: epochs before which only a loss that is not finite stops the run.
        known: what is known beside the curves; the advice goes by it.
        history: what was recorded so far.
    """

    sigmas: float = 4.0
    worth: float = 0.005
    least: int = 8
    known: Known = field(default_factory=Known)
    metric: str = ""
    metric_increases: bool = True
    train_in_inference_mode: bool | None = None
    should_stop: bool = False
    reason: Message | None = None
    history: History = field(init=False)
    _rising: int = field(default=0, init=False, repr=False)

    def __post_init__(self) -> None:
        check_number("sigmas", self.sigmas, above=0)
        check_number("worth", self.worth, minimum=0, below=1)
        check_count("least", self.least)
        check_instance("known", self.known, Known)
        self.history = History(
            metric=self.metric,
            metric_increases=self.metric_increases,
            train_in_inference_mode=self.train_in_inference_mode,
        )

    def update(
        self,
        *,
        train_loss: float,
        validation_loss: float,
        train_metric: float | None = None,
        validation_metric: float | None = None,
        learning_rate: float | None = None,
    ) -> Verdict:
        """Add an epoch; gives the verdict on the run so far and sets ``should_stop``."""
        self.history.train_loss.append(float(train_loss))
        self.history.validation_loss.append(float(validation_loss))
        if train_metric is not None and validation_metric is not None:
            self.history.train_metric.append(float(train_metric))
            self.history.validation_metric.append(float(validation_metric))
        if learning_rate is not None:
            self.history.learning_rate.append(float(learning_rate))
        if not (math.isfinite(train_loss) and math.isfinite(validation_loss)):
            return self._stop_diverged()
        self._decide()
        return judge([self.history], known=self.known)

    @property
    def best_epoch(self) -> int:
        """The epoch (from 1) at which validation was best, less its noise; 0 before the first."""
        return best_epoch_of([curves_of(self.history)]) if self.history.validation_loss else 0

    def forecast(self, epochs: int) -> Forecast:
        """What that many epochs more would gain in validation loss, with its interval."""
        check_count("epochs", epochs)
        return forecast(curves_of(self.history), epochs)

    def outlook(self, epochs: int) -> Message:
        """The same in words, in points of accuracy where it is known: ``another 20 epochs would gain 0.1 …``."""
        check_count("epochs", epochs)
        return outlook([curves_of(self.history)], epochs)

    def _stop_diverged(self) -> Verdict:
        self.should_stop = True
        self.reason = say("the loss is not finite")
        if self.history.epochs == 1:
            return Verdict("diverged", confidence=0.99, evidence=(self.reason,))
        return judge([self.history], known=self.known)

    def _decide(self) -> None:
        run = curves_of(self.history)
        turn = turn_of(run.validation)
        best = int(run.epoch[turn.index])
        behind = run.epochs - best >= max(2, 0.1 * run.epochs)
        self._rising = self._rising + 1 if turn.sigmas >= self.sigmas and behind else 0
        if run.epochs < max(self.least, SHORT):
            return
        if self._rising >= 2:
            self.should_stop = True
            self.reason = say(
                "validation has risen by {sigmas:.1f} standard errors since epoch {epoch}",
                sigmas=turn.sigmas,
                epoch=self.best_epoch,
            )
        elif self.worth and self._most_gain(run) < self.worth * abs(end_level(run.validation)):
            self.should_stop = True
            self.reason = say("another {epochs} epochs would gain nothing worth having", epochs=run.epochs)

    def _most_gain(self, run: Curves) -> float:
        """What as many epochs more gain at most, by the shape of the curve alone, which may be as sure as it likes."""
        return extrapolate(run.validation, len(run.validation)).interval[1]
