"""Dropout of single units (Srivastava et al. 2014), on the mask law."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

from sukima.base.checks import shown
from sukima.base.errors import InputError
from sukima.keras.backends import masks
from sukima.keras.base import MaskLayer, check_fits, mask_shape, registered
from sukima.keras.masks import masked_over

__all__ = ["Dropout", "check_noise_shape"]


def check_noise_shape(value: Any) -> tuple[int | None, ...] | None:
    """``value`` as a tuple of lengths and ``None``, or ``None``."""
    if value is None:
        return None
    fine = isinstance(value, Sequence) and not isinstance(value, str)
    if fine and all(
        n is None or (isinstance(n, numbers.Integral) and not isinstance(n, bool) and int(n) > 0) for n in value
    ):
        return tuple(None if n is None else int(n) for n in value)
    raise InputError(
        "{name} must be {expected}, got {value}",
        name="noise_shape",
        expected="a sequence of lengths above 0 and None",
        value=shown(value),
    )


@registered
class Dropout(MaskLayer):
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
        super().__init__(rate, seed, **kwargs)
        self.noise_shape = check_noise_shape(noise_shape)
        self.built = self.noise_shape is None
        self.kind = "" if self.noise_shape is None else "shaped"

    def build(self, input_shape: Any) -> None:
        """Check that the mask fits."""
        if self.noise_shape is not None:
            check_fits(self.noise_shape, input_shape)
        self.built = True

    def drop(self, inputs: Any) -> Any:
        """Drop units of ``inputs``."""
        if self.noise_shape is None:
            return masks.masked(inputs, self.next_key(), self._rate)
        return masked_over(inputs, mask_shape(inputs, self.noise_shape), self.next_key(), self._rate)

    def get_config(self) -> dict[str, Any]:
        """The arguments, the rate as it is now."""
        return {**super().get_config(), "noise_shape": self.noise_shape}
