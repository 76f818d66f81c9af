"""DropConnect (Wan et al. 2013): dropout of single weights, on the mask law."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from sukima.base.checks import check_rate
from sukima.keras.backends import masks
from sukima.keras.base import check_identifiers, check_seed, registered
from sukima.keras.rate import Rate

__all__ = ["DropConnect"]


@registered
class DropConnect(keras.layers.Dense):
    """``keras.layers.Dense`` whose weights are dropped with probability ``rate`` in training, one mask a batch.

    The mask is over the kernel's transpose, (units, inputs), whose element ``i`` is element ``i`` of the law under the
    key's kind "weight": that of `sukima.torch.DropConnect`.

    Args:
        units: as ``Dense``.
        rate: the probability that a weight is dropped, in [0, 1].
        seed: decides the masks, together with the number of calls; drawn if ``None``.
        **kwargs: as ``Dense``.

    Raises:
        InputError: an argument is not as described, or Keras does not know an activation, regularizer or the like.

    Paper: Wan et al., Regularization of Neural Networks using DropConnect, ICML 2013.
    """

    def __init__(self, units: int, rate: float = 0.5, seed: int | None = None, **kwargs: Any) -> None:
        check_identifiers(kwargs)
        super().__init__(units, **kwargs)
        self.seed = check_seed(seed)
        self.seed_generator = keras.random.SeedGenerator(self.seed)
        self._rate = Rate(check_rate("rate", rate))
        self.sampling = False

    @property
    def rate(self) -> float:
        """The rate, in [0, 1]; setting it takes effect at the next step."""
        return self._rate.value

    @rate.setter
    def rate(self, value: float) -> None:
        self._rate.set(check_rate("rate", value))

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Multiply by the weights, some of them dropped in training."""
        if not (training or self.sampling):
            return super().call(inputs)
        key = masks.fold(masks.new_key(self.seed_generator.next()), "weight")
        turned = masks.masked(ops.transpose(ops.convert_to_tensor(self.kernel)), key, self._rate)
        result = ops.matmul(inputs, ops.transpose(turned))
        if self.bias is not None:
            result = ops.add(result, self.bias)
        return result if self.activation is None else self.activation(result)

    def get_config(self) -> dict[str, Any]:
        """The arguments, the rate as it is now."""
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}
