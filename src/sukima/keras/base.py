"""What every layer with a rate shares: checks, key, rate, switch between training and inference, configuration."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
from keras import ops

from sukima.base.checks import check_number, check_rate, shown
from sukima.base.errors import InputError
from sukima.keras.backends import masks
from sukima.keras.rate import Numbers, Rate, plain_numbers

__all__ = ["PACKAGE", "MaskLayer", "check_identifiers", "check_seed", "mask_shape", "registered"]

PACKAGE = "sukima"
"""The name under which the layers are registered for files."""

registered = keras.saving.register_keras_serializable(package=PACKAGE)


def check_seed(seed: Any) -> int | None:
    """``seed`` if it is one that Keras takes on every backend, or ``None``."""
    if seed is None:
        return None
    if isinstance(seed, bool) or not isinstance(seed, numbers.Integral) or not 0 <= int(seed) < 2**31:
        raise InputError(
            "{name} must be {expected}, got {value}",
            name="seed",
            expected="None or a whole number in [0, 2**31)",
            value=shown(seed),
        )
    return int(seed)


_IDENTIFIED: dict[str, Any] = {
    "activation": keras.activations.get,
    "regularizer": keras.regularizers.get,
    "constraint": keras.constraints.get,
    "initializer": keras.initializers.get,
}


def check_identifiers(arguments: Mapping[str, Any]) -> None:
    """Raise unless Keras knows every activation, regularizer, constraint and initializer among the arguments.

    The name "l1l2" it knows, but as a penalty of no strength: that is an error too.
    """
    for name, value in arguments.items():
        get = _IDENTIFIED.get(name.rpartition("_")[2])
        if get is None or value is None:
            continue
        try:
            found = get(value)
        except (ValueError, TypeError):
            found = None
        silent = isinstance(value, str) and isinstance(found, keras.regularizers.L1L2) and not (found.l1 or found.l2)
        if found is None or silent:
            raise InputError(
                "{name} must be {expected}, got {value}",
                name=name,
                expected="one that Keras knows, of some strength if it is a regularizer",
                value=shown(value),
            )


class MaskLayer(keras.layers.Layer):
    """A layer that acts in training and lets its input through at inference.

    Its key is the state of its ``SeedGenerator``, whose counter advances at every call; its rate may be set at any
    time, also in a compiled model, and is not among its weights.
    """

    kind = ""
    below_one = False
    numbers: Callable[[float], Numbers] = staticmethod(plain_numbers)

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = check_seed(seed)
        self.seed_generator = keras.random.SeedGenerator(self.seed)
        self._rate = Rate(self._checked(rate), self.numbers)
        self.sampling = False
        self.supports_masking = True
        self.built = type(self).build is keras.layers.Layer.build  # else a subclass has something to build

    def _checked(self, rate: Any) -> float:
        return check_number("rate", rate, minimum=0, below=1) if self.below_one else check_rate("rate", rate)

    @property
    def rate(self) -> float:
        """The rate, in [0, 1]; setting it takes effect at the next step."""
        return self._rate.value

    @rate.setter
    def rate(self, value: float) -> None:
        self._rate.set(self._checked(value))

    def next_key(self) -> Any:
        """The key of this call, for this kind of mask."""
        key = masks.new_key(self.seed_generator.next())
        return masks.fold(key, self.kind) if self.kind else key

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Act on ``inputs`` in training."""
        return self.drop(inputs) if training or self.sampling else inputs

    def drop(self, inputs: Any) -> Any:
        """What is done in training."""
        raise NotImplementedError

    def compute_output_shape(self, input_shape: Any) -> Any:
        """That of the input."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The arguments, the rate as it is now."""
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}


def mask_shape(inputs: Any, wanted: Sequence[int | None]) -> tuple[Any, ...]:
    """``wanted`` with the input's own lengths in the place of ``None``."""
    lengths = ops.shape(inputs)
    return tuple(length if size is None else size for size, length in zip(wanted, lengths, strict=True))
