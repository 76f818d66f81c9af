"""A recipe's penalties as regularizers of Keras: Keras' own where it has them, and the missing ones."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from sukima.base.checks import check_choice, check_instance, check_number
from sukima.base.errors import InputError
from sukima.keras.base import registered
from sukima.keras.rate import Held
from sukima.records.penalty import L1, L2, Activity, ElasticNet, Orthogonal, Penalty
from sukima.records.penalty import GroupLasso as GroupLassoRecord

__all__ = ["GroupLasso", "Scheduled", "Sum", "proximal", "regularizer_of", "unit_axes"]

_TRANSPOSED = (keras.layers.Conv1DTranspose, keras.layers.Conv2DTranspose, keras.layers.Conv3DTranspose)
_DEPTHWISE = (keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D)


def unit_axes(layer: Any, dimensions: int, side: str = "output") -> list[int]:
    """The axes of a kernel along which the weights of one output unit (or of one input) lie."""
    unit = {dimensions - (1 if (side == "output") != isinstance(layer, _TRANSPOSED) else 2)}
    if isinstance(layer, _DEPTHWISE):
        unit = {dimensions - 2, dimensions - 1}
    return [axis for axis in range(dimensions) if axis not in unit]


@registered
class GroupLasso(keras.regularizers.Regularizer):
    """``strength`` times the sum over groups of root(size) times the group's norm (Yuan & Lin 2006).

    Args:
        strength: at least 0.
        axes: the axes of the kernel along which a group lies; by default all but the last, so that a group is the
            weights of one output unit of ``Dense`` or a convolution.

    Raises:
        InputError: an argument is not as described.

    >>> round(float(GroupLasso(0.5)(ops.convert_to_tensor([[3.0, 0.0], [4.0, 0.0]]))), 4)
    3.5355
    """

    def __init__(self, strength: float, axes: list[int] | None = None) -> None:
        self.strength = check_number("strength", strength, minimum=0)
        if axes is not None:
            check_instance("axes", axes, (list, tuple))
        self.axes = None if axes is None else list(axes)

    def __call__(self, x: Any) -> Any:
        """The term of the loss for a kernel."""
        axes = list(range(len(x.shape) - 1)) if self.axes is None else self.axes
        size = math.prod(x.shape[axis] for axis in axes)
        squares = ops.sum(ops.square(x), axis=axes)
        # The norm's gradient at 0 is 0 here, where the root's is infinite.
        norms = ops.where(squares > 0, ops.sqrt(ops.where(squares > 0, squares, 1.0)), 0.0)
        return self.strength * math.sqrt(size) * ops.sum(norms)

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        return {"strength": self.strength, "axes": self.axes}


@registered
class Scheduled(keras.regularizers.Regularizer):
    """A regularizer times a coefficient that may change during training (`set`), also in a compiled model.

    Args:
        regularizer: what is multiplied.
        factor: the coefficient at the start.
    """

    def __init__(self, regularizer: Any, factor: float = 1.0) -> None:
        if isinstance(regularizer, dict):
            regularizer = keras.saving.deserialize_keras_object(regularizer)
        if not callable(regularizer):
            raise InputError(
                "{name} must be {expected}, got {value}",
                name="regularizer",
                expected="a regularizer",
                value=type(regularizer).__name__,
            )
        self.regularizer = regularizer
        self.held = Held([check_number("factor", factor, minimum=0)], "factor")

    @property
    def factor(self) -> float:
        """The coefficient."""
        return self.held.values[0]

    def set(self, factor: float) -> None:
        """Change the coefficient."""
        self.held.assign([check_number("factor", factor, minimum=0)])

    def __call__(self, x: Any) -> Any:
        """The term of the loss."""
        return ops.cast(ops.convert_to_tensor(self.held.state)[0], x.dtype) * self.regularizer(x)

    def get_config(self) -> dict[str, Any]:
        """The arguments, the coefficient as it is now."""
        return {"regularizer": keras.saving.serialize_keras_object(self.regularizer), "factor": self.factor}


@registered
class Sum(keras.regularizers.Regularizer):
    """The sum of two regularizers: the model's own and a recipe's."""

    def __init__(self, first: Any, second: Any) -> None:
        read = [keras.saving.deserialize_keras_object(r) if isinstance(r, dict) else r for r in (first, second)]
        self.first, self.second = read

    def __call__(self, x: Any) -> Any:
        """The term of the loss."""
        return self.first(x) + self.second(x)

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        both = {"first": self.first, "second": self.second}
        return {name: keras.saving.serialize_keras_object(each) for name, each in both.items()}


def regularizer_of(penalty: Penalty, layer: Any, dimensions: int) -> Any:
    """The regularizer for a kernel of ``layer``; its form and schedule are not looked at.

    Orthogonal is Keras' own, which penalises the cosines between rows and takes matrices only.
    """
    match penalty:
        case L1(strength=strength):
            return keras.regularizers.L1(strength)
        case L2(strength=strength):
            return keras.regularizers.L2(strength)
        case ElasticNet(l1=l1, l2=l2):
            return keras.regularizers.L1L2(l1=l1, l2=l2)
        case GroupLassoRecord(strength=strength, groups=side):
            return GroupLasso(strength, unit_axes(layer, dimensions, side))
        case Orthogonal(strength=strength):
            if dimensions != 2:
                raise InputError(
                    "penalties: an orthogonal penalty needs a matrix in Keras, got {count} dimensions in {layer}",
                    count=dimensions,
                    layer=layer.name,
                )
            return keras.regularizers.OrthogonalRegularizer(strength)
        case Activity(strength=strength, order=order):
            return keras.regularizers.L1(strength) if order == 1 else keras.regularizers.L2(strength)


def proximal(penalty: Penalty, layer: Any, form: str) -> Callable[[Any, float], Any]:
    """From a kernel and learning rate × factor to the kernel after a ``"proximal"`` or ``"decoupled"`` step.

    A proximal step of L1 moves each weight towards 0 and stops there, group lasso does this to the norm of each group;
    a decoupled step subtracts the penalty's gradient. Both go round the optimizer's moments.
    """
    check_choice("form", form, ("proximal", "decoupled"))
    exact = form == "proximal"

    def act(x: Any, step: float) -> Any:
        match penalty:
            case L1(strength=strength):
                return _shrunk(x, step * strength) if exact else x - step * strength * ops.sign(x)
            case L2(strength=strength):
                return x / (1 + 2 * step * strength) if exact else x * (1 - 2 * step * strength)
            case ElasticNet(l1=l1, l2=l2):
                if exact:
                    return _shrunk(x, step * l1) / (1 + 2 * step * l2)
                return x - step * (l1 * ops.sign(x) + 2 * l2 * x)
            case GroupLassoRecord(strength=strength, groups=side):
                axes = unit_axes(layer, len(x.shape), side)
                size = math.prod(x.shape[axis] for axis in axes)
                norms = ops.sqrt(ops.sum(ops.square(x), axis=axes, keepdims=True))
                shares = 1 - step * strength * math.sqrt(size) / ops.where(norms > 0, norms, 1.0)
                return x * (ops.maximum(shares, 0.0) if exact else shares)
        raise InputError("{kind} has no {form} step in Keras", kind=type(penalty).__name__, form=form)

    return act


def _shrunk(x: Any, amount: float) -> Any:
    return ops.sign(x) * ops.maximum(ops.abs(x) - amount, 0.0)
