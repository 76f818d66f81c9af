"""One run as arrays that signals can be measured in: finite, equally long, lower is better."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from sukima.base.errors import InputError
from sukima.records.history import History

__all__ = ["Array", "Curves", "curves_of", "finite_part", "shares"]

Array = NDArray[np.float64]

LIMIT = 512
"""Points of a curve that signals look at; a longer one is averaged over blocks, which loses no shape and saves time."""

_LARGEST = 1e75
"""Of a curve: divided by the least, and then squared, it is still a number."""

_MEASURED = ("train_loss", "validation_loss", "train_metric", "validation_metric")


@dataclass(frozen=True)
class Curves:
    """What signals are measured in.

    Attributes:
        train: the loss on training data; where no loss was recorded, the metric turned so that lower is better.
        validation: the same on validation data.
        epoch: the last epoch (from 1) that each point stands for.
        is_loss: whether these are losses.
        train_share: accuracy-like metric as a fraction in [0, 1]; empty if there is none.
        validation_share: the same on validation data.
        lost: the epoch (from 1) at which a curve stopped being finite; ``None`` if none did.
        in_inference_mode: whether the training curve was measured with dropout off; ``None`` if not known.
        learning_rate: the learning rate at each point; empty if not known.
    """

    train: Array
    validation: Array
    epoch: NDArray[np.int64]
    is_loss: bool
    train_share: Array
    validation_share: Array
    lost: int | None = None
    in_inference_mode: bool | None = None
    learning_rate: Array = field(default_factory=lambda: np.empty(0))

    @property
    def epochs(self) -> int:
        """Epochs in the finite part of the run."""
        return int(self.epoch[-1])


def finite_part(history: History) -> tuple[History, int | None]:
    """The history up to its first non-finite value, and that epoch (from 1); ``None`` if all of it is finite.

    A curve that ends in NaN or Inf is the sign of divergence. One that is not finite from its start, or that becomes
    finite again, is a mistake in the record: ``InputError``.
    """
    lost: list[int] = []
    for name in _MEASURED:
        curve = getattr(history, name)
        if all(map(math.isfinite, curve)):
            continue
        bad = next(i for i, value in enumerate(curve) if not math.isfinite(value))
        if bad == 0 or any(map(math.isfinite, curve[bad:])):
            raise InputError(
                "{curve} must be finite, got {value} at epoch {epoch}", curve=name, value=curve[bad], epoch=bad + 1
            )
        lost.append(bad)
    if not lost:
        history.check()
        return history, None
    end = min(lost)
    beside = ("learning_rate", "seconds")
    cut = msgspec.structs.replace(history, **{name: getattr(history, name)[:end] for name in (*_MEASURED, *beside)})
    cut.check()
    return cut, end + 1


def shares(values: list[float], metric: str) -> Array:
    """An accuracy-like metric as fractions; empty where the values cannot be one (percentages are divided by 100)."""
    array = np.asarray(values, dtype=np.float64)
    named = metric.lower().replace("val_", "")
    if not len(array) or (named and not any(word in named for word in ("acc", "正解", "精度"))):
        return np.empty(0)
    if array.min() < 0 or array.max() > 100:
        return np.empty(0)
    return array / 100 if array.max() > 1 else array


def _bounded(values: list[float]) -> Array:
    """Values that can be squared and divided by each other: what is larger or smaller than any loss tells no more."""
    array = np.clip(np.asarray(values, dtype=np.float64), -_LARGEST, _LARGEST)
    return np.where(np.abs(array) < 1 / _LARGEST, 0.0, array)


def curves_of(history: History) -> Curves:
    """The curves of a history; raises ``InputError`` where they are missing, unequal or not finite."""
    history, lost = finite_part(history)
    is_loss = bool(history.train_loss)
    if is_loss:
        train, validation = history.train_loss, history.validation_loss
    else:
        sign = -1.0 if history.metric_increases else 1.0
        train, validation = ([sign * v for v in c] for c in (history.train_metric, history.validation_metric))
    train_share, validation_share = _pair_of_shares(history)
    if not is_loss and len(train_share):
        train, validation = list(1 - train_share), list(1 - validation_share)
    count = len(train)
    return Curves(
        train=_thin(_bounded(train)),
        validation=_thin(_bounded(validation)),
        epoch=_ends(count),
        is_loss=is_loss,
        train_share=_thin(train_share),
        validation_share=_thin(validation_share),
        lost=lost,
        in_inference_mode=history.train_in_inference_mode,
        learning_rate=_rates(history.learning_rate, count),
    )


def _rates(values: list[float], count: int) -> Array:
    """The learning rate at the points of the curves; of a thinned curve the last of each block."""
    rates = np.asarray(values, dtype=np.float64)
    if len(rates) != count or not np.isfinite(rates).all() or rates.max() <= 0 or rates.min() < 0:
        return np.empty(0)
    return rates[_ends(count) - 1]


def _pair_of_shares(history: History) -> tuple[Array, Array]:
    if not history.metric_increases:
        return np.empty(0), np.empty(0)
    both = shares([*history.train_metric, *history.validation_metric], history.metric)
    half = len(both) // 2
    return both[:half], both[half:]


def _ends(count: int) -> NDArray[np.int64]:
    """The last epoch of each block that `_thin` averages."""
    blocks = min(count, LIMIT)
    return np.linspace(0, count, blocks + 1).astype(np.int64)[1:]


def _thin(curve: Array) -> Array:
    if len(curve) <= LIMIT:
        return curve
    ends = _ends(len(curve))
    starts = np.concatenate(([0], ends[:-1]))
    means: Array = np.add.reduceat(curve, starts) / (ends - starts)
    return means
