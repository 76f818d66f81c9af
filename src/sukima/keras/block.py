"""DropBlock (Ghiasi et al. 2018): dropout of contiguous blocks of a feature map, on the mask law."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from sukima.base.checks import check_count
from sukima.keras.backends import masks
from sukima.keras.base import MaskLayer, registered
from sukima.keras.masks import masked_by
from sukima.keras.rate import Numbers
from sukima.keras.spatial import check_data_format
from sukima.masks import law

__all__ = ["DropBlock1D", "DropBlock2D", "DropBlock3D"]


def _all_in_window(kept: Any, axis: int, width: int) -> Any:
    """Whether all of ``width`` neighbours along ``axis`` are kept; the result is ``width - 1`` shorter."""

    def part(values: Any, begin: int, less: int) -> Any:
        index = [slice(None)] * len(values.shape)
        index[axis] = slice(begin, ops.shape(values)[axis] - less + begin)
        return values[tuple(index)]

    have = 1
    while have < width:
        step = min(have, width - have)
        kept = ops.logical_and(part(kept, 0, step), part(kept, step, step))
        have += step
    return kept


class _DropBlock(MaskLayer):
    kind = "block"
    dimensions = 2

    def __init__(
        self,
        rate: float = 0.1,
        block_size: int = 7,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        self.block_size = check_count("block_size", block_size)
        volume = self.block_size**self.dimensions

        def numbers(rate: float) -> Numbers:
            seeds = 1 - (1 - rate) ** (1 / volume)
            kept = 1 - law.threshold(seeds) / 2.0 ** law.bits(seeds)
            return seeds, 1 / kept**volume if kept else 0.0, 0.0

        self.numbers = numbers
        super().__init__(rate, seed, **kwargs)
        self.data_format = check_data_format(data_format)
        self.input_spec = keras.layers.InputSpec(ndim=self.dimensions + 2)

    def drop(self, inputs: Any) -> Any:
        """Drop blocks of ``inputs``."""
        first = 1 if self.data_format == "channels_last" else 2
        axes = range(first, first + self.dimensions)
        shape = [n + self.block_size - 1 if axis in axes else n for axis, n in enumerate(ops.shape(inputs))]
        kept = masks.keep(shape, self.next_key(), self._rate, inputs)
        for axis in axes:
            kept = _all_in_window(kept, axis, self.block_size)
        return masked_by(inputs, kept, self._rate)

    def get_config(self) -> dict[str, Any]:
        """The arguments, the rate as it is now."""
        return {**super().get_config(), "block_size": self.block_size, "data_format": self.data_format}


@registered
class DropBlock1D(_DropBlock):
    """Drop runs of ``block_size`` neighbours of (batch, steps, channels) in training; nothing at inference.

    Every element is dropped with probability ``rate`` exactly, also at the borders: block centres may lie outside the
    map. Kept ones are multiplied by 1/(1 - rate).

    Args:
        rate: the probability that an element is dropped, in [0, 1].
        block_size: elements along each side of a block.
        data_format: ``"channels_last"`` or ``"channels_first"``; by default as Keras is configured.
        seed: decides the masks, together with the number of calls; drawn if ``None``.
        **kwargs: as for any layer.

    Raises:
        InputError: an argument is not as described.

    Paper: Ghiasi et al., DropBlock: A Regularization Method for Convolutional Networks, NeurIPS 2018.
    """

    dimensions = 1


@registered
class DropBlock2D(_DropBlock):
    """As `DropBlock1D`, for squares of images."""


@registered
class DropBlock3D(_DropBlock):
    """As `DropBlock1D`, for cubes of volumes."""

    dimensions = 3
