"""Alpha dropout (Klambauer et al. 2017): for self-normalizing networks, on the mask law."""

from __future__ import annotations

from typing import Any

from keras import ops

from sukima.keras.backends import masks
from sukima.keras.base import mask_shape, registered
from sukima.keras.masks import masked_over
from sukima.keras.rate import Numbers
from sukima.keras.shaped import ShapedLayer
from sukima.masks import law

__all__ = ["AlphaDropout"]

SATURATION = -1.7580993408473766
"""The limit of SELU for very negative inputs."""


def _numbers(rate: float) -> Numbers:
    """The affine map that gives the mixture of kept and saturated values the mean and variance from before."""
    kept = 1 - law.threshold(rate) / 2.0 ** law.bits(rate)
    slope = ((SATURATION**2 * (1 - kept) + 1) * kept) ** -0.5 if kept else 0.0
    return rate, slope, slope * SATURATION * kept


@registered
class AlphaDropout(ShapedLayer):
    """Set elements to SELU's negative limit with probability ``rate`` in training; do nothing at inference.

    In the place of ``keras.layers.AlphaDropout``. An affine map then restores zero mean and unit variance.

    Args:
        rate: the probability that an element is set, in [0, 1].
        noise_shape: as for `Dropout`.
        seed: decides the masks, together with the number of calls; drawn if ``None``.
        **kwargs: as for any layer.

    Raises:
        InputError: an argument is not as described.

    Paper: Klambauer et al., Self-Normalizing Neural Networks, NeurIPS 2017.
    """

    kind = "alpha"
    numbers = staticmethod(_numbers)

    def drop(self, inputs: Any) -> Any:
        """Saturate units of ``inputs``."""
        moved, key = inputs - ops.cast(SATURATION, inputs.dtype), self.next_key()
        if self.noise_shape is None:
            put = masks.masked(moved, key, self._rate)
        else:
            put = masked_over(moved, mask_shape(inputs, self.noise_shape), key, self._rate)
        return put + ops.cast(self._rate.numbers()[1], inputs.dtype)
