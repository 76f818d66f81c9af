"""Concrete dropout (Gal, Hron & Kendall 2017): rates that are learned with the weights, on the mask law's words."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from sukima.base.checks import check_instance, check_number
from sukima.keras.backends import masks
from sukima.keras.base import check_seed, registered

__all__ = ["ConcreteDropout"]

_LAYERS = (keras.layers.Dense, keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D)


@registered
class ConcreteDropout(keras.layers.Wrapper):
    """A layer with learned dropout on its input.

    Its penalty is a loss of the layer: ``weight_regularizer`` times the sum of the kernel's squares over 1 - rate, less
    ``dropout_regularizer`` times the number of inputs times the rate's entropy. With N training rows, length scale l
    and model precision t these are l**2 / (t N) and 2 / (t N), for a loss that is a mean over rows of squared errors.

    Args:
        layer: what follows the dropout: ``Dense`` or a convolution.
        rate: the rate at the start, in (0, 1).
        weight_regularizer: at least 0.
        dropout_regularizer: at least 0.
        temperature: how soft the decisions are, above 0.
        seed: decides the noise, together with the number of calls; drawn if ``None``.
        **kwargs: as for any layer.

    Raises:
        InputError: an argument is not as described.

    Paper: Gal, Hron & Kendall, Concrete Dropout, NeurIPS 2017.
    """

    def __init__(
        self,
        layer: Any,
        rate: float = 0.1,
        weight_regularizer: float = 1e-6,
        dropout_regularizer: float = 1e-5,
        temperature: float = 0.1,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        check_instance("layer", layer, _LAYERS)
        super().__init__(layer, **kwargs)
        self.first_rate = check_number("rate", rate, above=0, below=1)
        self.weight_regularizer = check_number("weight_regularizer", weight_regularizer, minimum=0)
        self.dropout_regularizer = check_number("dropout_regularizer", dropout_regularizer, minimum=0)
        self.temperature = check_number("temperature", temperature, above=0)
        self.seed = check_seed(seed)
        self.seed_generator = keras.random.SeedGenerator(self.seed)
        self.sampling = False
        self.supports_masking = True

    def build(self, input_shape: Any = None) -> None:
        """Make the wrapped layer's weights, and the rate's logarithm of the odds."""
        super().build(input_shape)
        logit = math.log(self.first_rate / (1 - self.first_rate))
        self.logit = self.add_weight(name="logit", shape=(), initializer=keras.initializers.Constant(logit))
        first = getattr(self.layer, "data_format", "channels_last") == "channels_first"
        self.inputs = int(input_shape[1 if first else -1])

    @property
    def rate(self) -> float:
        """The rate as it is now."""
        if not self.built:
            return self.first_rate
        return float(1 / (1 + math.exp(-float(ops.convert_to_numpy(self.logit)))))

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Drop parts of ``inputs`` in training, and run the layer."""
        logit = ops.cast(ops.convert_to_tensor(self.logit), "float32")
        odds = ops.exp(logit)
        self.add_loss(self._penalty(logit, odds))
        if training or self.sampling:
            key = masks.fold(masks.new_key(self.seed_generator.next()), "concrete")
            noise = masks.uniform(ops.shape(inputs), key, inputs)
            dropped = ops.sigmoid((logit + ops.log(noise) - ops.log1p(-noise)) / self.temperature)
            # 1 / (1 - rate) = 1 + odds, which no rounding makes infinite before the rate itself is 1.
            inputs = inputs * ops.cast((1 - dropped) * (1 + odds), inputs.dtype)
        return self.layer(inputs)

    def _penalty(self, logit: Any, odds: Any) -> Any:
        squares = ops.sum(ops.square(ops.cast(self.layer.kernel, "float32")))
        rate = ops.sigmoid(logit)
        negative_entropy = -rate * ops.softplus(-logit) - (1 - rate) * ops.softplus(logit)
        return (
            self.weight_regularizer * squares * (1 + odds) + self.dropout_regularizer * self.inputs * negative_entropy
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        """That of the wrapped layer."""
        return self.layer.compute_output_shape(input_shape)

    def get_config(self) -> dict[str, Any]:
        """The arguments; the rate at the start."""
        return {
            **super().get_config(),
            "rate": self.first_rate,
            "weight_regularizer": self.weight_regularizer,
            "dropout_regularizer": self.dropout_regularizer,
            "temperature": self.temperature,
            "seed": self.seed,
        }
