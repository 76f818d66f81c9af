"""From a table to a history: find the curves, and bring training and validation onto the same epochs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sukima.base.checks import shown
from sukima.base.errors import InputError
from sukima.base.messages import Message, say
from sukima.diagnosis.curves import Array
from sukima.diagnosis.readers.naming import Pairing, meaning_of, pair_up
from sukima.diagnosis.readers.reading import Reading
from sukima.diagnosis.readers.table import Series, Table
from sukima.records.history import History

__all__ = ["to_reading"]


def to_reading(table: Table, mapping: Mapping[str, str] | None = None) -> Reading:
    """The run in ``table``; ``mapping`` names columns where their names do not say what they are.

    Keys of ``mapping``: ``train`` and ``val`` (or ``validation``) for the loss, ``train_metric`` and ``val_metric``.
    """
    loss, metric = _chosen(table, mapping) if mapping else _found(table)
    notes = list(table.notes)
    curves: dict[str, list[float]] = {}
    understood: dict[str, str] = {}
    steps: Array | None = None
    for what, pair in (("loss", loss), ("metric", metric)):
        if pair is None:
            continue
        one, other = table.series[pair.train], table.series[pair.validation]
        at, train, validation = (
            (other.steps, one.values, other.values) if table.by_position else aligned(one, other, notes)
        )
        steps = at if steps is None else steps
        curves[f"train_{what}"], curves[f"validation_{what}"] = train.tolist(), validation.tolist()
        understood[f"train_{what}"], understood[f"validation_{what}"] = pair.train, pair.validation
    _same_length(curves, notes)
    name, rates = _learning_rates(table, steps, max(map(len, curves.values()), default=0))
    if rates:
        understood["learning_rate"] = name
    history = History(
        train_loss=curves.get("train_loss", []),
        validation_loss=curves.get("validation_loss", []),
        train_metric=curves.get("train_metric", []),
        validation_metric=curves.get("validation_metric", []),
        metric=metric.quantity if metric else "",
        metric_increases=metric is None or metric.kind != "error",
        learning_rate=rates,
    )
    return Reading(history, table.source, table.format, understood, tuple(notes))


def _found(table: Table) -> tuple[Pairing | None, Pairing | None]:
    pairs = pair_up(table.series)
    loss = next((pair for pair in pairs if pair.kind == "loss"), None)
    metric = next((pair for pair in pairs if pair.kind in ("accuracy", "score")), None)
    if metric is None:
        metric = next((pair for pair in pairs if pair.kind == "error"), None)
    if loss is None and metric is not None and metric.kind == "error":
        # An error such as MSE is what was minimised where nothing is called a loss.
        loss, metric = metric, None
    if loss is None and metric is None:
        raise InputError(
            "{source}: no training and validation curves found among the columns {names}; name them with --map",
            source=table.source or "history",
            names=shown(", ".join(table.series)),
        )
    return loss, metric


def _chosen(table: Table, mapping: Mapping[str, str]) -> tuple[Pairing | None, Pairing | None]:
    named = {key.replace("validation", "val").removesuffix("_loss"): name for key, name in mapping.items()}
    for key, name in named.items():
        if key not in ("train", "val", "train_metric", "val_metric"):
            raise InputError("map: {key} must be one of train, val, train_metric, val_metric", key=shown(key))
        if name not in table.series:
            raise InputError(
                "map: no column {name} in {source}, only {names}",
                name=shown(name),
                source=table.source or "history",
                names=shown(", ".join(table.series)),
            )
    pairs: list[Pairing | None] = []
    for train, validation in (("train", "val"), ("train_metric", "val_metric")):
        if (train in named) != (validation in named):
            missing = validation if train in named else train
            raise InputError("map: {key} is missing; training and validation go together", key=missing)
        pairs.append(Pairing(named[train], named[validation], named[validation], "other") if train in named else None)
    if pairs[0] is None and pairs[1] is None:
        raise InputError("map: {key} is missing; training and validation go together", key="train")
    return pairs[0], pairs[1]


def _learning_rates(table: Table, steps: Array | None, count: int) -> tuple[str, list[float]]:
    """The column of the learning rate, and its values in force at those steps; none where not every epoch has one."""
    name = next((name for name in table.series if meaning_of(name).kind == "rate"), "")
    if not name or steps is None or not len(table.series[name].values):
        return "", []
    found = table.series[name]
    at = np.maximum(np.searchsorted(found.steps, steps, side="right") - 1, 0)
    values = found.values[at][:count]
    sound = len(values) == count and bool(np.isfinite(values).all())
    return name, values.tolist() if sound else []


def aligned(train: Series, validation: Series, notes: list[Message]) -> tuple[Array, Array, Array]:
    """Steps of validation, and both curves there: training is averaged over the steps since the validation before.

    That covers logs by batch with a validation now and then, and does nothing where both were recorded together.
    """
    if np.array_equal(train.steps, validation.steps):
        return validation.steps, train.values, validation.values
    if not len(train.values) or not len(validation.values):
        return validation.steps, train.values, validation.values
    cuts = np.searchsorted(train.steps, validation.steps, side="right")
    begins = np.concatenate(([0], cuts[:-1]))
    filled = cuts > begins
    if not filled.any():
        return validation.steps, train.values, validation.values
    # A validation before the first training value (a sanity check) or after the last has nothing beside it.
    with np.errstate(invalid="ignore", over="ignore"):
        # Pairs of edges: without the ends `reduceat` would add up the last stretch to the end of the curve.
        edges = np.stack([begins, cuts], axis=1).ravel()
        sums = np.add.reduceat(np.append(train.values, 0.0), edges)[::2]
        means = np.where(filled, sums / np.maximum(1, cuts - begins), np.nan)
    if not filled.all():
        notes.append(
            say("{count} validation values without training values before them left out", count=int((~filled).sum()))
        )
    return validation.steps[filled], means[filled], validation.values[filled]


def _same_length(curves: dict[str, list[float]], notes: list[Message]) -> None:
    """Cut loss and metric to the epochs that both have, where each is sound in itself."""
    lengths = {name: len(values) for name, values in curves.items()}
    if len(curves) < 4 or len(set(lengths.values())) == 1:
        return
    if any(lengths[f"train_{what}"] != lengths[f"validation_{what}"] for what in ("loss", "metric")):
        return
    keep = min(lengths.values())
    notes.append(say("loss and metric have different lengths; the first {count} epochs are used", count=keep))
    for name in curves:
        curves[name] = curves[name][:keep]
