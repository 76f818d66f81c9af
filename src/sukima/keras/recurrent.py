"""LSTM and GRU with locked dropout on what goes in and on the recurrent state, on the mask law."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from sukima.base.checks import check_rate
from sukima.keras.backends import masks
from sukima.keras.base import check_identifiers, check_seed, registered
from sukima.keras.masks import masked_over
from sukima.keras.rate import Rate

__all__ = ["GRU", "LSTM", "GRUCell", "LSTMCell"]


class _MaskedCell(keras.layers.Layer):
    """A cell of Keras whose two masks are drawn once a sequence: of features, and of hidden units, for all gates."""

    def __init__(
        self,
        units: int,
        *,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        of_inputs, of_hidden = check_rate("dropout", dropout), check_rate("recurrent_dropout", recurrent_dropout)
        check_identifiers(kwargs)
        super().__init__(units, seed=check_seed(seed), **kwargs)
        self.rate_of_inputs = Rate(of_inputs)
        self.rate_of_hidden = Rate(of_hidden, name="recurrent_rate")  # torch knows variables by their paths

    @property
    def dropout(self) -> float:
        """The rate of the mask on what goes in; setting it takes effect at the next step."""
        held: Rate | None = getattr(self, "rate_of_inputs", None)
        return held.value if held else 0.0

    @dropout.setter
    def dropout(self, value: float) -> None:
        if hasattr(self, "rate_of_inputs"):  # Keras sets its own before there is one
            self.rate_of_inputs.set(check_rate("dropout", value))

    @property
    def recurrent_dropout(self) -> float:
        """The rate of the mask on the hidden state; setting it takes effect at the next step."""
        held: Rate | None = getattr(self, "rate_of_hidden", None)
        return held.value if held else 0.0

    @recurrent_dropout.setter
    def recurrent_dropout(self, value: float) -> None:
        if hasattr(self, "rate_of_hidden"):
            self.rate_of_hidden.set(check_rate("recurrent_dropout", value))

    def _mask(self, like: Any, rate: Rate, kind: str) -> Any:
        key = masks.fold(masks.new_key(self.seed_generator.next()), kind)
        return masked_over(ops.ones_like(like), ops.shape(like), key, rate)

    # The masks of a pass are kept on the cell while it lasts; Keras asks for them first and then resets them.
    _dropout_mask: Any = None
    _recurrent_dropout_mask: Any = None

    def get_dropout_mask(self, step_input: Any) -> Any:
        """The mask of features, drawn at the first call in a pass."""
        if self._dropout_mask is None and self.dropout:
            self._dropout_mask = self._mask(step_input, self.rate_of_inputs, "locked")
        return self._dropout_mask

    def get_recurrent_dropout_mask(self, step_input: Any) -> Any:
        """The mask of hidden units, drawn at the first call in a pass."""
        state = step_input[0] if isinstance(step_input, list | tuple) else step_input
        if self._recurrent_dropout_mask is None and self.recurrent_dropout:
            self._recurrent_dropout_mask = self._mask(state, self.rate_of_hidden, "recurrent hidden")
        return self._recurrent_dropout_mask

    def _into_gates(self, inputs: Any, hidden: Any, training: bool) -> tuple[Any, Any]:
        if training and (mask := self.get_dropout_mask(inputs)) is not None:
            inputs = inputs * mask
        if training and (mask := self.get_recurrent_dropout_mask(hidden)) is not None:
            hidden = hidden * mask
        return inputs, hidden


@registered
class LSTMCell(_MaskedCell, keras.layers.LSTMCell):
    """``keras.layers.LSTMCell`` with the masks of `LSTM`."""

    def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
        """One step; the hidden state goes nowhere but into the gates."""
        inputs, hidden = self._into_gates(inputs, states[0], training)
        return super().call(inputs, [hidden, states[1]], training=False)


@registered
class GRUCell(_MaskedCell, keras.layers.GRUCell):
    """``keras.layers.GRUCell`` with the masks of `GRU`."""

    def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
        """One step; the mask is on the hidden state that goes into the gates, not on the one that is carried on."""
        nested = isinstance(states, list | tuple)
        carried = states[0] if nested else states
        inputs, hidden = self._into_gates(inputs, carried, training)
        of_inputs: Any = None
        of_hidden: Any = None
        if self.use_bias:
            of_inputs, of_hidden = (self.bias[0], self.bias[1]) if self.reset_after else (self.bias, None)
        given = ops.matmul(inputs, self.kernel)
        given = given if of_inputs is None else ops.add(given, of_inputs)
        z, r, new = ops.split(given, 3, axis=-1)
        last = 2 * self.units
        known = ops.matmul(hidden, self.recurrent_kernel if self.reset_after else self.recurrent_kernel[:, :last])
        known = known if of_hidden is None else ops.add(known, of_hidden)
        z = self.recurrent_activation(z + known[:, : self.units])
        r = self.recurrent_activation(r + known[:, self.units : last])
        if self.reset_after:
            new = new + r * known[:, last:]
        else:
            new = new + ops.matmul(r * hidden, self.recurrent_kernel[:, last:])
        state = z * carried + (1 - z) * self.activation(new)
        return state, [state] if nested else state


class _MaskedLayer(keras.layers.Layer):
    """A recurrent layer of Keras with our cell in it."""

    _cell: Any = None

    def __init__(
        self,
        units: int,
        *,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        of_inputs, of_hidden = check_rate("dropout", dropout), check_rate("recurrent_dropout", recurrent_dropout)
        check_identifiers(kwargs)
        super().__init__(units, seed=check_seed(seed), **kwargs)
        config = {**self.cell.get_config(), "dropout": of_inputs, "recurrent_dropout": of_hidden}
        self._tracker.untrack(self.cell)  # or the states of its generator would be ours
        del self.cell
        self.cell = self._cell.from_config(config)

    cell: Any

    @property
    def dropout(self) -> float:
        """The rate of the mask on what goes in."""
        return float(self.cell.dropout)

    @dropout.setter
    def dropout(self, value: float) -> None:
        self.cell.dropout = value

    @property
    def recurrent_dropout(self) -> float:
        """The rate of the mask on the hidden state."""
        return float(self.cell.recurrent_dropout)

    @recurrent_dropout.setter
    def recurrent_dropout(self, value: float) -> None:
        self.cell.recurrent_dropout = value


@registered
class LSTM(_MaskedLayer, keras.layers.LSTM):
    """``keras.layers.LSTM`` whose two kinds of dropout have one mask each for all gates and time steps.

    Args:
        units: as ``keras.layers.LSTM``.
        dropout: rate of the mask on the features that go in, in [0, 1].
        recurrent_dropout: rate of the mask on the hidden state that goes into the gates, in [0, 1].
        seed: decides the masks, together with the number of calls; drawn if ``None``.
        **kwargs: as ``keras.layers.LSTM``, by keyword.

    The first leaves the backend's fused kernels in use. A rate that was 0 when the model was compiled takes effect
    only when it is compiled again (`sukima.apply` sees to that); others may change at any time.

    Raises:
        InputError: a rate outside [0, 1], or Keras does not know an activation, regularizer or the like.

    Paper: Gal & Ghahramani, A Theoretically Grounded Application of Dropout in Recurrent Neural Networks, NeurIPS 2016.
    """

    _cell = LSTMCell


@registered
class GRU(_MaskedLayer, keras.layers.GRU):
    """As `LSTM`, for ``keras.layers.GRU``."""

    _cell = GRUCell
