"""Alpha dropout (Klambauer et al. 2017): for self-normalizing networks, on the mask law."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import ops

from sukima.keras.backends import masks
from sukima.keras.base import MaskLayer, check_fits, mask_shape, registered
from sukima.keras.dropout import check_noise_shape
from sukima.keras.masks import masked_over
from sukima.keras.rate import Numbers
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
class AlphaDropout(MaskLayer):
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

    def __init__(
        self, rate: float, noise_shape: Sequence[int | None] | None = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(rate, seed, **kwargs)
        self.noise_shape = check_noise_shape(noise_shape)
        self.built = self.noise_shape is None

    def build(self, input_shape: Any) -> None:
        """Check that the mask fits."""
        if self.noise_shape is not None:
            check_fits(self.noise_shape, input_shape)
        self.built = True

    def drop(self, inputs: Any) -> Any:
        """Saturate units of ``inputs``."""
        moved, key = inputs - ops.cast(SATURATION, inputs.dtype), self.next_key()
        if self.noise_shape is None:
            put = masks.masked(moved, key, self._rate)
        else:
            put = masked_over(moved, mask_shape(inputs, self.noise_shape), key, self._rate)
        return put + ops.cast(self._rate.numbers()[1], inputs.dtype)

    def get_config(self) -> dict[str, Any]:
        """The arguments, the rate as it is now."""
        return {**super().get_config(), "noise_shape": self.noise_shape}
