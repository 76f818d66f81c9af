"""A picture of histories with their verdicts: curves, onset, the gap shaded, the forecast with its interval.

Its few words are English in both languages: not every machine has a font with Japanese for matplotlib.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sukima.base.errors import InputError
from sukima.base.imports import require
from sukima.diagnosis.curves import Curves, curves_of
from sukima.diagnosis.outlook import ahead
from sukima.diagnosis.signals.learning_rate import drops
from sukima.records.files import check_writable
from sukima.records.history import History
from sukima.records.verdict import Verdict

__all__ = ["check_picture_path", "draw"]

SUFFIXES = (".png", ".svg")
MOST = 24
"""Most histories in one picture."""
TRAIN, VALIDATION, ONSET, RATE = "#4477aa", "#cc6644", "#555555", "#cccccc"


def check_picture_path(path: str | Path) -> Path:
    """``path``, if a picture can be written there; asked before anything is read."""
    path = check_writable(path)
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(
            "{path}: a picture is a .png or .svg file (the command also writes .html), got {suffix}",
            path=path,
            suffix=path.suffix or "–",
        )
    return path


def draw(judged: Sequence[tuple[Verdict, History]], path: str | Path) -> Path:
    """Draw one panel a history and write the picture; at most 24 of them.

    Raises ``InputError`` where no picture can be written there, ``MissingDependencyError`` without matplotlib.
    """
    path = check_picture_path(path)
    require("matplotlib", "report")
    from matplotlib.figure import Figure

    shown = judged[:MOST]
    columns = min(2, len(shown))
    rows = -(-len(shown) // columns)
    # A figure of its own, without pyplot: nothing global, no window, no display needed.
    figure = Figure(figsize=(6.4 * columns, 3.6 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, (verdict, history) in zip(panels, shown, strict=False):
        _panel(axes, verdict, history)
    for axes in panels[len(shown) :]:
        axes.set_visible(False)
    figure.savefig(path, dpi=150, metadata={"Date": None} if path.suffix.lower() == ".svg" else None)
    return path


def _panel(axes: Any, verdict: Verdict, history: History) -> None:
    run = curves_of(history)
    epoch = run.epoch
    axes.fill_between(epoch, run.train, run.validation, where=run.validation >= run.train, color=VALIDATION, alpha=0.12)
    dot = "o" if len(epoch) == 1 else None  # no line goes through a single row
    axes.plot(epoch, run.train, color=TRAIN, linestyle="--", marker=dot, label="training")
    axes.plot(epoch, run.validation, color=VALIDATION, marker=dot, label="validation")
    if dot:
        axes.set_xlim(epoch[0] - 1, epoch[0] + 1)
    if run.lost is not None:
        axes.axvline(run.lost, color=ONSET, linewidth=1, linestyle=":")
        _mark(axes, run.lost, 0.94, "not finite", left=True)
    if verdict.onset_epoch is not None:
        axes.axvline(verdict.onset_epoch, color=ONSET, linewidth=1, linestyle=":")
        _mark(axes, verdict.onset_epoch, 0.94, f"onset {verdict.onset_epoch}")
    for at in drops(run.learning_rate)[:3]:
        axes.axvline(epoch[at], color=RATE, linewidth=1)
        _mark(axes, epoch[at], 0.03, f"lr {run.learning_rate[at]:.3g}")
    lowest = _forecast(axes, run) if verdict.verdict == "unfinished" else np.inf
    late = np.concatenate([curve[len(curve) // 6 :] for curve in (run.train, run.validation)])
    low, high = float(min(run.train.min(), run.validation.min(), lowest)), float(late.max())
    room = 0.06 * (high - low) or 0.1 * abs(high) or 1.0
    axes.set_ylim(low - room, high + room)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss" if run.is_loss else "error")
    # A name from a file may hold signs that would be read as mathematics.
    title = f"{verdict.source[-48:]}: {verdict.verdict} ({100 * verdict.confidence:.0f} %)"
    axes.set_title(title, fontsize=9, parse_math=False)
    axes.legend(frameon=False, fontsize=8)


def _mark(axes: Any, epoch: int, height: float, text: str, *, left: bool = False) -> None:
    """A word beside a line; white behind it, where it stands on a curve."""
    axes.annotate(
        text,
        (epoch, height),
        (-4 if left else 4, 0),
        ha="right" if left else "left",
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        fontsize=8,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 1},
    )


def _forecast(axes: Any, run: Curves) -> float:
    """Draw where validation would go in twice the epochs more, with its interval; gives the lowest loss of it."""
    found = ahead(run, 24)
    axes.plot(found.epochs, found.levels, color=VALIDATION, linewidth=1, linestyle=":")
    axes.fill_between(found.epochs, found.lows, found.highs, color=VALIDATION, alpha=0.15)
    return min(found.levels)
