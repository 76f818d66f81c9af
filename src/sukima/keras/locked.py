"""Locked (variational) dropout: one mask for all time steps of a sequence, on the mask law."""

from __future__ import annotations

from typing import Any

import keras

from sukima.keras.base import MaskLayer, mask_shape, registered
from sukima.keras.masks import masked_over

__all__ = ["LockedDropout"]


@registered
class LockedDropout(MaskLayer):
    """Drop features of (batch, steps, features), the same at all steps, with probability ``rate`` in training.

    Args:
        rate: the probability that a feature is dropped, in [0, 1].
        seed: decides the masks, together with the number of calls; drawn if ``None``.
        **kwargs: as for any layer.

    Raises:
        InputError: an argument is not as described.

    Paper: Gal & Ghahramani, A Theoretically Grounded Application of Dropout in Recurrent Neural Networks, NeurIPS 2016.
    """

    kind = "locked"

    def __init__(self, rate: float = 0.5, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(rate, seed, **kwargs)
        self.input_spec = keras.layers.InputSpec(ndim=3)

    def drop(self, inputs: Any) -> Any:
        """Drop features of ``inputs``."""
        return masked_over(inputs, mask_shape(inputs, (None, 1, None)), self.next_key(), self._rate)
