"""Training beside validation, both in inference mode: at the checkpoint that is judged, and at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sukima.base.messages import say
from sukima.records.history import History
from sukima.records.result import Arm, Comparison, Trial
from sukima.reporting.blocks import Column, Row, Table
from sukima.reporting.numbers import number
from sukima.reporting.sections.arms import arm_name, mean, measure_name, role
from sukima.reporting.text import Text

__all__ = ["scores_table"]

Measure = Callable[[Trial], float | None]


def scores_table(comparison: Comparison, winner: Arm | None) -> Table:
    """Loss and metric on training and validation data, two rows an arm."""
    metric = comparison.metric and measure_name("metric", comparison.metric)
    columns = [
        Column(say("arm"), number=False),
        Column(say("epoch")),
        Column(say("training loss")),
        Column(say("validation loss")),
    ]
    if metric:
        columns += [Column(say("training {metric}", metric=metric)), Column(say("validation {metric}", metric=metric))]
    rows = [row for arm in comparison.arms for row in _rows(comparison, arm, winner, bool(metric))]
    return Table(tuple(columns), tuple(rows), say("Training and validation, with dropout off"))


def _rows(comparison: Comparison, arm: Arm, winner: Arm | None, with_metric: bool) -> list[Row]:
    who = role(arm, comparison, winner)
    judged: list[Measure] = [lambda t: t.train.loss, lambda t: t.validation.loss]
    last: list[Measure] = [lambda t: _last(t.history, "train_loss"), lambda t: _last(t.history, "validation_loss")]
    if with_metric:
        judged += [lambda t: t.train.metric, lambda t: t.validation.metric]
        last += [lambda t: _last(t.history, "train_metric"), lambda t: _last(t.history, "validation_metric")]
    best_epoch = say("judged ({epoch})", epoch=_span([trial.epoch for trial in arm.trials]))
    last_epoch = say("last ({epoch})", epoch=_span([trial.history.epochs for trial in arm.trials]))
    return [
        Row((arm_name(arm.name), best_epoch, *_cells(arm, judged)), who),
        Row(("", last_epoch, *_cells(arm, last)), who),
    ]


def _cells(arm: Arm, measures: Sequence[Measure]) -> list[Text]:
    return [number(mean([measure(trial) for trial in arm.trials])) for measure in measures]


def _last(history: History, curve: str) -> float | None:
    values: list[float] = getattr(history, curve)
    return values[-1] if values else None


def _span(epochs: Sequence[int]) -> str:
    if not epochs:
        return "–"
    low, high = min(epochs), max(epochs)
    return str(low) if low == high else f"{low}–{high}"
