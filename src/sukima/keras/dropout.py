"""Dropout of single units (Srivastava et al. 2014), on the mask law."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sukima.keras.backends import masks
from sukima.keras.base import mask_shape, registered
from sukima.keras.masks import masked_over
from sukima.keras.shaped import ShapedLayer

__all__ = ["Dropout"]


@registered
class Dropout(ShapedLayer):
    """Drop each element with probability ``rate`` in training; do nothing at inference.

    In the place of ``keras.layers.Dropout``. Kept elements are multiplied by 1/(1 - rate); dropped ones are 0 whatever
    was there. Nothing is kept for the backward pass, which computes the mask again.

    Args:
        rate: the probability that an element is dropped, in [0, 1].
        noise_shape: the shape of the mask where it is repeated over the input: 1 where it is, ``None`` or the input's
            own size where it is not. ``(None, 1, None)`` gives one mask for all time steps.
        seed: decides the masks, together with the number of calls; drawn if ``None``.
        **kwargs: as for any layer (``name``, ``dtype``).

    Raises:
        InputError: an argument is not as described.

    Paper: Srivastava et al., Dropout: A Simple Way to Prevent Neural Networks from Overfitting, JMLR 2014.

    >>> from keras import ops
    >>> y = Dropout(0.5, seed=1)(ops.ones((100, 100)), training=True)
    >>> sorted(set(ops.convert_to_numpy(y).ravel().tolist()))
    [0.0, 2.0]
    """

    def __init__(
        self, rate: float, noise_shape: Sequence[int | None] | None = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(rate, noise_shape, seed, **kwargs)
        self.kind = "" if self.noise_shape is None else "shaped"

    def drop(self, inputs: Any) -> Any:
        """Drop units of ``inputs``."""
        if self.noise_shape is None:
            return masks.masked(inputs, self.next_key(), self._rate)
        return masked_over(inputs, mask_shape(inputs, self.noise_shape), self.next_key(), self._rate)
