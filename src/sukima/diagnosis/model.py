"""From features to probabilities of the verdicts: a multinomial logistic model, its weights in ``weights.json``.

``benchmarks/diagnose/fit.py`` finds the weights, on networks whose truth is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import msgspec
import numpy as np

from sukima.diagnosis.curves import Array
from sukima.diagnosis.features import FEATURES
from sukima.records.verdict import Conclusion

__all__ = ["Model", "model", "probabilities"]


class Weights(msgspec.Struct, forbid_unknown_fields=True):
    """The file's content.

    Attributes:
        conclusions: what is told apart.
        features: names of the features, in the order of the weights.
        mean: of each feature over the fitted histories.
        scale: its standard deviation.
        weights: conclusion × feature, for standardised features.
        bias: of each conclusion.
        sharpness: factor on the scores that makes the stated confidence true on histories not fitted.
        least: confidence below which no conclusion is stated.
    """

    conclusions: list[Conclusion]
    features: list[str]
    mean: list[float]
    scale: list[float]
    weights: list[list[float]]
    bias: list[float]
    sharpness: float
    least: float


@dataclass(frozen=True)
class Model:
    """The weights as arrays."""

    conclusions: tuple[Conclusion, ...]
    mean: Array
    scale: Array
    weights: Array
    bias: Array
    sharpness: float
    least: float


@cache
def model() -> Model:
    """The model that comes with the package."""
    found = msgspec.json.decode(files("sukima.diagnosis").joinpath("weights.json").read_bytes(), type=Weights)
    assert tuple(found.features) == FEATURES  # weights for other features would be nonsense; fit.py writes both
    return Model(
        tuple(found.conclusions),
        *(np.asarray(part) for part in (found.mean, found.scale, found.weights, found.bias)),
        found.sharpness,
        found.least,
    )


def probabilities(features: Array) -> dict[Conclusion, float]:
    """Probability of each conclusion, each as likely as another before the curves were seen.

    Features far outside what was fitted are pulled to four standard deviations, so that an odd run cannot be more
    certain than any that is known.
    """
    fitted = model()
    standard = np.clip((features - fitted.mean) / fitted.scale, -4, 4)
    scores = fitted.sharpness * (fitted.weights @ standard + fitted.bias)
    shares = np.exp(scores - scores.max())
    return dict(zip(fitted.conclusions, (shares / shares.sum()).tolist(), strict=True))
