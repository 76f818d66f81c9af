"""Where a curve would go if training went on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sukima.diagnosis.curves import Array
from sukima.diagnosis.signals.noise import noise_level

__all__ = ["Forecast", "extrapolate"]

POWERS = (0.1, 0.25, 0.5, 1.0, 2.0)
RATES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)


@dataclass(frozen=True)
class Forecast:
    """What more epochs would give.

    Attributes:
        epochs: how many epochs more.
        gain: fall of the loss below its level now; negative where it would rise.
        error: standard deviation of that gain, from the spread of the shapes that fit and from the noise.
    """

    epochs: int
    gain: float
    error: float

    @property
    def interval(self) -> tuple[float, float]:
        """The gain with 95 % coverage, if the shapes that are tried include one like the truth."""
        return self.gain - 1.96 * self.error, self.gain + 1.96 * self.error


def extrapolate(curve: Array, epochs: int) -> Forecast:
    """Extend the curve by ``epochs`` points.

    Every shape of two families, ``a + b·t^-c`` and ``a + b·exp(-c·t/T)``, is fitted to the curve, late points counting
    more; each is weighted by how well it fits (Akaike weights), and the forecast is their mixture. One curve cannot
    tell a slow power from a fast exponential, so that the mixture's spread is the honest error (Domhan et al. 2015
    average over such families too).
    """
    count = len(curve)
    if count < 4:
        return Forecast(epochs, 0.0, float("inf"))
    t = np.arange(1, count + 1, dtype=np.float64)
    weight = np.sqrt(t / count)
    noise = max(noise_level(curve), 1e-12 + 1e-6 * float(np.abs(curve).mean()))
    later = count + epochs
    shapes = [(t**-c, later**-c) for c in POWERS]
    shapes += [(np.exp(-c * t / count), float(np.exp(-c * later / count))) for c in RATES]
    misfits, gains, errors = [], [], []
    for shape, end in shapes:
        design = np.stack([np.ones(count), shape], axis=1) * weight[:, None]
        inverse = np.linalg.pinv(design.T @ design)
        found = inverse @ (design.T @ (weight * curve))
        residual = weight * curve - design @ found
        step = float(shape[-1] - end)
        misfits.append(float(residual @ residual))
        gains.append(float(found[1]) * step)
        errors.append(float(inverse[1, 1]) * step**2)
    left = np.asarray(misfits)
    variance = max(float(left.min()) / max(1, count - 2), noise**2)
    share = np.exp(-(left - left.min()) / (2 * variance))
    share /= share.sum()
    gain = float(share @ gains)
    spread = float(share @ (np.asarray(gains) - gain) ** 2 + share @ np.asarray(errors) * variance)
    return Forecast(epochs, gain, float(np.sqrt(spread)))
