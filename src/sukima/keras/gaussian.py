"""Gaussian dropout: multiplicative noise with dropout's first two moments, on the mask law's words."""

from __future__ import annotations

from typing import Any

from keras import ops

from sukima.keras.base import MaskLayer, registered
from sukima.keras.masks import normal
from sukima.keras.rate import Numbers

__all__ = ["GaussianDropout"]


def _numbers(rate: float) -> Numbers:
    return rate, (rate / (1 - rate)) ** 0.5, 0.0


@registered
class GaussianDropout(MaskLayer):
    """Multiply each element by noise of mean 1 and variance rate/(1 - rate) in training; nothing at inference.

    In the place of ``keras.layers.GaussianDropout``.

    Args:
        rate: the rate of the dropout whose moments are matched, in [0, 1).
        seed: decides the noise, together with the number of calls; drawn if ``None``.
        **kwargs: as for any layer.

    Raises:
        InputError: an argument is not as described.

    Paper: Srivastava et al., Dropout, JMLR 2014, section 10.
    """

    kind = "gaussian"
    below_one = True
    numbers = staticmethod(_numbers)

    def drop(self, inputs: Any) -> Any:
        """Multiply ``inputs`` by noise."""
        noise = normal(ops.shape(inputs), self.next_key(), inputs)
        spread = ops.cast(self._rate.numbers()[0], noise.dtype)
        return inputs * ops.cast(1 + noise * spread, inputs.dtype)
