"""DropPath, or stochastic depth (Huang et al. 2016), on the mask law."""

from __future__ import annotations

from typing import Any

from sukima.base.checks import check_choice, check_instance
from sukima.keras.base import MaskLayer, mask_shape, registered
from sukima.keras.masks import masked_over
from sukima.keras.rate import Numbers, plain_numbers

__all__ = ["DropPath"]


def _unscaled(rate: float) -> Numbers:
    return rate, 1.0, 0.0


@registered
class DropPath(MaskLayer):
    """Drop what a residual branch adds, as a whole, with probability ``rate`` in training; nothing at inference.

    Args:
        rate: the probability of dropping, in [0, 1].
        per: one decision for each ``"sample"`` (row of the first dimension), or one for the whole ``"batch"``.
        scaled: whether what is kept is multiplied by 1/(1 - rate).
        seed: decides the masks, together with the number of calls; drawn if ``None``.
        **kwargs: as for any layer.

    Raises:
        InputError: an argument is not as described.

    Paper: Huang et al., Deep Networks with Stochastic Depth, ECCV 2016.
    """

    kind = "path"

    def __init__(
        self, rate: float = 0.0, per: str = "sample", scaled: bool = True, seed: int | None = None, **kwargs: Any
    ) -> None:
        self.per = check_choice("per", per, ("sample", "batch"))
        check_instance("scaled", scaled, bool)
        self.scaled = scaled
        self.numbers = plain_numbers if scaled else _unscaled
        super().__init__(rate, seed, **kwargs)

    def drop(self, inputs: Any) -> Any:
        """Drop rows of ``inputs``, or all of it."""
        rows = len(inputs.shape)
        first = (None,) if self.per == "sample" else (1,)
        shape = mask_shape(inputs, (*first, *(1,) * (rows - 1)) if rows else ())
        return masked_over(inputs, shape, self.next_key(), self._rate)

    def get_config(self) -> dict[str, Any]:
        """The arguments, the rate as it is now."""
        return {**super().get_config(), "per": self.per, "scaled": self.scaled}
