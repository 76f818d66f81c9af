"""Histories as TensorBoard event files, laid out as Keras lays them out: a run a seed, training beside validation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from sukima.base.errors import InputError
from sukima.base.imports import require
from sukima.records.history import History
from sukima.records.result import Arm, Comparison, TuneResult

__all__ = ["write_tensorboard"]


def write_tensorboard(result: History | Comparison | TuneResult, folder: str | Path) -> Path:
    """Write the curves of a history, or of every run of a result, for ``tensorboard --logdir folder``.

    A run is ``folder/<arm>/seed-<seed>`` (of a history ``folder`` itself); below it ``train`` and ``validation`` hold
    ``epoch_loss`` and, where there is one, ``epoch_<metric>``, so that TensorBoard draws both in one chart.

    Returns:
        The folder.

    Raises:
        InputError: ``result`` is none of these.
        MissingDependencyError: tensorboard is not installed.
    """
    require("tensorboard", "tensorboard")
    folder = Path(folder)
    for place, history in _runs(result):
        _write(history, folder / place)
    return folder


def _runs(result: History | Comparison | TuneResult) -> Iterator[tuple[Path, History]]:
    if isinstance(result, History):
        yield Path(), result
        return
    if not isinstance(result, Comparison | TuneResult):
        raise InputError(
            "{name} must be {expected}, got {value}",
            name="result",
            expected="a History, or what tune or compare returned",
            value=type(result).__name__,
        )
    arms: list[Arm] = list(result.arms) if isinstance(result, Comparison) else list(result.search)
    if isinstance(result, TuneResult) and result.comparison is not None:
        arms += result.comparison.arms
    for arm in arms:
        for trial in arm.trials:
            yield Path(_file_name(arm.name)) / f"seed-{trial.seed}", trial.history


def _file_name(name: str) -> str:
    """A name that is a file name everywhere: an arm may be called anything."""
    return re.sub(r"[^\w.+-]+", "_", name).strip("._") or "arm"


def _write(history: History, folder: Path) -> None:
    from torch.utils.tensorboard import SummaryWriter

    for part in ("train", "validation"):
        curves = {"loss": getattr(history, f"{part}_loss"), history.metric: getattr(history, f"{part}_metric")}
        with SummaryWriter(str(folder / part)) as writer:
            for name, curve in curves.items():
                for epoch, value in enumerate(curve):
                    writer.add_scalar(f"epoch_{name or 'metric'}", value, epoch)
