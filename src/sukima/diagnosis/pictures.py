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
from sukima.diagnosis.curves import curves_of
from sukima.diagnosis.signals.extrapolation import extrapolate
from sukima.records.files import check_writable
from sukima.records.history import History
from sukima.records.verdict import Verdict

__all__ = ["check_picture_path", "draw"]

SUFFIXES = (".png", ".svg")
MOST = 24
"""Most histories in one picture."""
TRAIN, VALIDATION, ONSET = "#4477aa", "#cc6644", "#555555"


def check_picture_path(path: str | Path) -> Path:
    """``path``, if a picture can be written there; asked before anything is read."""
    path = check_writable(path)
    if path.suffix.lower() not in SUFFIXES:
        raise InputError("{path}: a picture is a .png or .svg file, got {suffix}", path=path, suffix=path.suffix or "–")
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
    for axes, (verdict, history) in zip(figure.subplots(rows, columns, squeeze=False).ravel(), shown, strict=False):
        _panel(axes, verdict, history)
    figure.savefig(path, dpi=150, metadata={"Date": None} if path.suffix.lower() == ".svg" else None)
    return path


def _panel(axes: Any, verdict: Verdict, history: History) -> None:
    run = curves_of(history)
    epoch = run.epoch
    axes.fill_between(epoch, run.train, run.validation, where=run.validation >= run.train, color=VALIDATION, alpha=0.12)
    axes.plot(epoch, run.train, color=TRAIN, linestyle="--", label="training")
    axes.plot(epoch, run.validation, color=VALIDATION, label="validation")
    if verdict.onset_epoch is not None:
        axes.axvline(verdict.onset_epoch, color=ONSET, linewidth=1, linestyle=":")
        axes.annotate(f"onset {verdict.onset_epoch}", (verdict.onset_epoch, 0.95), xycoords=("data", "axes fraction"))
    lowest = _forecast(axes, run.validation, epoch) if verdict.verdict == "unfinished" else np.inf
    late = np.concatenate([curve[len(curve) // 6 :] for curve in (run.train, run.validation)])
    low, high = float(min(run.train.min(), run.validation.min(), lowest)), float(late.max())
    room = 0.06 * (high - low) or 0.1 * abs(high) or 1.0
    axes.set_ylim(low - room, high + room)
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss" if run.is_loss else "error")
    # A name from a file may hold signs that would be read as mathematics.
    title = f"{verdict.source[-48:]}: {verdict.verdict} ({100 * verdict.confidence:.0f} %)"
    axes.set_title(title, fontsize=9, parse_math=False)
    axes.legend(frameon=False, fontsize=8)


def _forecast(axes: Any, validation: Any, epoch: Any) -> float:
    """Draw where validation would go in twice the epochs more, with its interval; gives the lowest loss of it."""
    count, last = len(validation), int(epoch[-1])
    steps = np.unique(np.linspace(1, 2 * count, 24).astype(int))
    forecasts = [extrapolate(validation, int(step)) for step in steps]
    at = last + steps * last / count
    end = float(validation[-1])
    levels = [end - forecast.gain for forecast in forecasts]
    axes.plot(at, levels, color=VALIDATION, linewidth=1, linestyle=":")
    least, most = zip(*(forecast.interval for forecast in forecasts), strict=True)
    axes.fill_between(at, [end - gain for gain in most], [end - gain for gain in least], color=VALIDATION, alpha=0.15)
    return min(levels)
