"""Dropout of whole channels (Tompson et al. 2015), on the mask law."""

from __future__ import annotations

from typing import Any

import keras

from sukima.base.checks import check_choice
from sukima.keras.base import MaskLayer, mask_shape, registered
from sukima.keras.masks import masked_over

__all__ = ["SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "check_data_format"]


def check_data_format(value: Any) -> str:
    """``value`` if it is one of Keras' layouts; ``None`` stands for the configured one."""
    if value is None:
        return str(keras.config.image_data_format())
    return check_choice("data_format", value, ("channels_first", "channels_last"))


class _Spatial(MaskLayer):
    kind = "channel"
    dimensions = 2

    def __init__(self, rate: float, data_format: str | None = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(rate, seed, **kwargs)
        self.data_format = check_data_format(data_format)
        self.input_spec = keras.layers.InputSpec(ndim=self.dimensions + 2)

    def drop(self, inputs: Any) -> Any:
        """Drop channels of ``inputs``."""
        ones = (1,) * self.dimensions
        wanted = (None, *ones, None) if self.data_format == "channels_last" else (None, None, *ones)
        return masked_over(inputs, mask_shape(inputs, wanted), self.next_key(), self._rate)

    def get_config(self) -> dict[str, Any]:
        """The arguments, the rate as it is now."""
        return {**super().get_config(), "data_format": self.data_format}


@registered
class SpatialDropout1D(_Spatial):
    """Drop whole features of (batch, steps, features) with probability ``rate`` in training.

    In the place of ``keras.layers.SpatialDropout1D``. Kept ones are multiplied by 1/(1 - rate). Feature c of sample n
    is element ``n * C + c`` of the law under the key's kind "channel".

    Args:
        rate: the probability that a feature is dropped, in [0, 1].
        seed: decides the masks, together with the number of calls; drawn if ``None``.
        **kwargs: as for any layer.

    Raises:
        InputError: an argument is not as described.

    Paper: Tompson et al., Efficient Object Localization Using Convolutional Networks, CVPR 2015.
    """

    dimensions = 1

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(rate, "channels_last", seed, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """The arguments, the rate as it is now."""
        config = super().get_config()
        del config["data_format"]
        return config


@registered
class SpatialDropout2D(_Spatial):
    """As `SpatialDropout1D`, for channels of images: (batch, height, width, channels) or channels first.

    Args:
        rate: the probability that a channel is dropped, in [0, 1].
        data_format: ``"channels_last"`` or ``"channels_first"``; by default as Keras is configured.
        seed: decides the masks, together with the number of calls; drawn if ``None``.
        **kwargs: as for any layer.
    """


@registered
class SpatialDropout3D(_Spatial):
    """As `SpatialDropout2D`, for volumes."""

    dimensions = 3
