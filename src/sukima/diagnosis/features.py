"""The numbers that the verdict is made from: signals of a run, on scales where equal steps mean alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sukima.diagnosis.curves import Array, Curves
from sukima.diagnosis.signals.coupling import follows
from sukima.diagnosis.signals.dropout_on import share_below_training
from sukima.diagnosis.signals.extrapolation import extrapolate
from sukima.diagnosis.signals.gap import end_level, gap_trend
from sukima.diagnosis.signals.guessing import beyond_guessing
from sukima.diagnosis.signals.noise import noise_level, quieting
from sukima.diagnosis.signals.onset import turn_of
from sukima.diagnosis.signals.progress import end_trend
from sukima.diagnosis.signals.smoothing import smooth
from sukima.diagnosis.signals.tripling import tripling
from sukima.diagnosis.signals.windows import windows_of

__all__ = ["FEATURES", "features_of", "pooled_features", "unit_of"]

SMALL = 1e-3
"""What counts as nothing beside a loss of one."""
SMALLEST_ERROR = 0.005
_ERRORS = (
    *("error_rise", "error_at", "error_half", "error_quarter", "train_error_half", "train_error_quarter"),
    *("loss_by_error", "train_loss_by_error", "error_forecast"),
)
BEGINNING = 3
LEAST_START, MOST_START = 0.02, 20.0
"""Where losses of the first epochs lie that are nats, even of 50,000 classes, or errors of standardised targets."""


def features_of(curves: Curves) -> dict[str, float]:
    """The features of one run of at least four epochs.

    Losses are taken relative to the validation loss at the end, so that their unit does not matter, except where a
    name says ``absolute``: there it is `unit_of`. ``asinh(20 x)`` is straight up to five percent and a logarithm
    beyond.
    """
    unit = unit_of(curves)
    train, validation = curves.train / unit, curves.validation / unit
    count = len(train)
    scale = max(abs(end_level(validation)), 1e-9)
    own = max(abs(end_level(train)), 1e-2 * scale)
    turn = turn_of(validation)
    later, last = end_trend(validation), end_trend(validation, 0.25)
    train_later, train_last = end_trend(train), end_trend(train, 0.25)
    forecast, train_forecast = extrapolate(validation, 2 * count), extrapolate(train, 2 * count)
    smooth_train, smooth_validation = smooth(train), smooth(validation)
    beyond = beyond_guessing(train, curves.train_share)
    half, quarter = count // 2, 3 * count // 4
    return {
        "rise": _log(turn.rise / scale),
        "rise_absolute": _log(turn.rise),
        "rise_sigmas": float(np.arcsinh(turn.sigmas)),
        "turn_at": turn.index / count,
        "gap": (end_level(validation) - end_level(train)) / scale,
        "gap_absolute": _bent(end_level(validation) - end_level(train)),
        "gap_widens": _bent(gap_trend(train, validation).slope / scale),
        "level_absolute": _log(scale),
        "train_level_absolute": _log(own),
        "fall": _ratio(scale, float(validation[0])),
        "train_fall": _ratio(own, float(train[0])),
        "train_worst": _ratio(own, float(train.max())),
        "gain_later": _bent(later.gain(3) / scale),
        "gain_last": _bent(last.gain(3) / scale),
        "gain_later_sigmas": float(np.arcsinh(later.sigmas)),
        "gain_last_sigmas": float(np.arcsinh(last.sigmas)),
        "train_gain_later": _bent(train_later.gain(3) / own),
        "train_gain_last": _bent(train_last.gain(3) / own),
        "train_gain_sigmas": float(np.arcsinh(train_later.sigmas)),
        "forecast": _bent(forecast.gain / scale),
        "forecast_error": _log(forecast.error / scale),
        "forecast_sigmas": float(np.clip((forecast.gain - 0.05 * scale) / (forecast.error + 0.01 * scale), -6, 6)),
        "train_forecast": _bent(train_forecast.gain / own),
        "half_fall": _ratio(float(smooth_validation[-1]), float(smooth_validation[half])),
        "quarter_fall": _ratio(float(smooth_validation[-1]), float(smooth_validation[quarter])),
        "train_half_fall": _ratio(float(smooth_train[-1]), float(smooth_train[half])),
        "train_since_turn": _bent(float(smooth_train[turn.index] - smooth_train[-1]) / own),
        "beyond_guessing": -1.0
        if beyond is None or not curves.is_loss or unit != 1
        else float(np.clip(3 * beyond, -1, 3)),
        "noise": _log(noise_level(validation) / scale),
        "train_noise": _log(noise_level(train) / own),
        "quieting": float(np.clip(quieting(validation), -5, 5)),
        "train_quieting": float(np.clip(quieting(train), -5, 5)),
        "slowing": _bent((last.gain(3) - later.gain(3)) / scale),
        "train_slowing": _bent((train_last.gain(3) - train_later.gain(3)) / own),
        "newest": _bent((float(smooth_validation[-max(2, count // 8) - 1]) - float(smooth_validation[-1])) / scale),
        "train_newest": _bent((float(smooth_train[-max(2, count // 8) - 1]) - float(smooth_train[-1])) / own),
        "below_training": share_below_training(train, validation),
        "epochs": float(np.log(curves.epochs)),
        "error_rate": _error(curves.validation_share),
        "train_error_rate": _error(curves.train_share),
        "accuracy_gap": _accuracy_gap(curves),
        "has_accuracy": float(len(curves.train_share) > 0),
        "has_loss": float(curves.is_loss),
        "in_inference_mode": 0.0 if curves.in_inference_mode is None else 2.0 * curves.in_inference_mode - 1,
        **_windows(validation, scale),
        **_shape(train, validation, own, scale),
        **_errors(curves, own, scale),
    }


def _windows(validation: Array, scale: float) -> dict[str, float]:
    """What the end and the best are by means that assume no shape."""
    found = windows_of(validation)
    return {
        "window_rise": _log(found.rise / scale),
        "window_rise_absolute": _log(found.rise),
        "window_fall": _bent(found.fall / scale),
        "window_at": found.at,
    }


def _shape(train: Array, validation: Array, own: float, scale: float) -> dict[str, float]:
    """How the curves bend, and where later parts of them alone would lead."""
    smoothed = smooth(train), smooth(validation)
    found = {f"follows_{share}": float(np.clip(follows(*smoothed, share), -5, 5)) for share in (0.5, 0.25)}
    curves = (("train_", train, smoothed[0], own), ("", validation, smoothed[1], scale))
    for name, curve, even, level in curves:
        falls = tripling(even, level)
        found |= {
            f"{name}tripled": _bent(falls.last / level),
            f"{name}tripled_before": _bent(falls.before / level),
            f"{name}tripled_next": _bent(falls.next / level),
        }
        for share in (0.6, 0.35):
            late = curve[-max(4, int(np.ceil(share * len(curve)))) :]
            found[f"{name}forecast_{share}"] = _bent(
                float(np.clip(extrapolate(late, 2 * len(curve)).gain / level, -3, 3))
            )
    return found


def _errors(curves: Curves, own: float, scale: float) -> dict[str, float]:
    """The shares of wrong answers, and how large the loss is for so many."""
    if not len(curves.validation_share):
        return dict.fromkeys(_ERRORS, 0.0)
    train, wrong = smooth(1 - curves.train_share), smooth(1 - curves.validation_share)
    best, half, quarter = int(wrong.argmin()), len(wrong) // 2, 3 * len(wrong) // 4
    found = (
        float(wrong[-1] - wrong[best]),
        best / len(wrong),
        float(wrong[half] - wrong[-1]),
        float(wrong[quarter] - wrong[-1]),
        float(train[half] - train[-1]),
        float(train[quarter] - train[-1]),
        float(np.log(scale / max(1 - curves.validation_share[-3:].mean(), SMALLEST_ERROR))),
        float(np.log(own / max(1 - curves.train_share[-3:].mean(), SMALLEST_ERROR))),
        float(np.clip(extrapolate(1 - curves.validation_share, 2 * len(wrong)).gain, -1, 1)),
    )
    return dict(zip(_ERRORS, found, strict=True))


def unit_of(curves: Curves) -> float:
    """What absolute features count in: 1, where losses begin as nats or errors of standardised targets do.

    Anything else, such as a squared error in the unit of the target, counts in the loss that the run began with: the
    least of its first three epochs, since training that blows up comes back within them and says nothing of the unit.
    Where there is an accuracy, losses that end as nats are nats however they began.
    """
    level = np.maximum(np.abs(curves.train), np.abs(curves.validation))
    settled = float(level[:BEGINNING].min())
    small = settled <= MOST_START or (len(curves.train_share) > 0 and bool(np.median(level) <= MOST_START))
    return 1.0 if not curves.is_loss or (level[0] >= LEAST_START and small) else max(settled, 1e-12)


def pooled_features(runs: Sequence[Curves]) -> Array:
    """The features of several seeds of one configuration: their mean; what counts in errors grows with their number."""
    table = np.array([list(features_of(run).values()) for run in runs])
    mean: Array = table.mean(axis=0)
    grown = np.array([name.endswith("sigmas") and name != "forecast_sigmas" for name in FEATURES])
    mean[grown] = np.arcsinh(np.sinh(mean[grown]) * np.sqrt(len(runs)))
    return mean


def _log(value: float) -> float:
    return float(np.log(min(max(value, 0.0), 1e6) + SMALL))


def _bent(value: float) -> float:
    return float(np.arcsinh(20 * np.clip(value, -1e6, 1e6)))


def _ratio(end: float, start: float) -> float:
    return float(np.clip(np.log(max(abs(end), 1e-9) / max(abs(start), 1e-9)), -8, 8))


def _accuracy_gap(curves: Curves) -> float:
    if not len(curves.train_share):
        return 0.0
    return end_level(curves.train_share) - end_level(curves.validation_share)


def _error(shares: Array) -> float:
    return float(np.log(1.01 - shares[-3:].mean())) if len(shares) else -0.7


FEATURES = tuple(
    features_of(
        Curves(
            np.ones(4), np.ones(4), np.arange(1, 5), is_loss=True, train_share=np.empty(0), validation_share=np.empty(0)
        )
    )
)
"""Their names, in order."""
