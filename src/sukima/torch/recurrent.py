"""LSTM and GRU with the dropouts that recurrent networks need, on the mask law."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from sukima.base.checks import check_choice
from sukima.torch.cells import CELLS, Rates, State, run_steps
from sukima.torch.connect import weight_dropout
from sukima.torch.dropout import dropout
from sukima.torch.locked import locked_dropout
from sukima.torch.rated import rate_of

__all__ = ["GRU", "LSTM", "RecurrentMode", "by_law", "own_rates"]

RecurrentMode = Literal["hidden", "update"]
_RATES = ("input_dropout", "weight_dropout", "recurrent_dropout", "zoneout_hidden", "zoneout_cell")


class _Recurrent(nn.RNNBase):
    """What `LSTM` and `GRU` share. Layers run one after another, so that a mask can come between them."""

    def __init__(
        self,
        *args: Any,
        input_dropout: float = 0.0,
        weight_dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        recurrent_mode: RecurrentMode = "hidden",
        zoneout_hidden: float = 0.0,
        zoneout_cell: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        given = (input_dropout, weight_dropout, recurrent_dropout, zoneout_hidden, zoneout_cell)
        for name, value in zip(_RATES, given, strict=True):
            setattr(self, name, float(rate_of(value, name)))
        self.recurrent_mode: RecurrentMode = recurrent_mode
        check_choice("recurrent_mode", recurrent_mode, ("hidden", "update"))

    input_dropout: float
    weight_dropout: float
    recurrent_dropout: float
    zoneout_hidden: float
    zoneout_cell: float

    def extra_repr(self) -> str:
        """The arguments, as torch shows them, and the rates that are not 0."""
        rates = "".join(f", {name}={getattr(self, name):g}" for name in own_rates(self))
        return str(super().extra_repr()) + rates

    stepwise = False
    """Whether to go step by step even where torch's fused kernels would do."""

    @property
    def _by_step(self) -> bool:
        zoned = self.zoneout_hidden or self.zoneout_cell  # also at inference, where the expectation is taken
        return bool(self.stepwise or zoned or (self.training and self.recurrent_dropout))

    def forward(self, input: Any, hx: Any = None) -> Any:
        """As the forward of ``torch.nn.LSTM`` or ``GRU``: the same inputs and outputs, packed sequences included."""
        packed = isinstance(input, PackedSequence)
        single = not packed and input.dim() == 2
        data: Any = input
        if not packed and (self.batch_first or single):
            data = input.unsqueeze(1) if single else input.transpose(0, 1)
        count = int(input.batch_sizes[0]) if packed else data.shape[1]
        states = self._initial(data.data if packed else data, hx, count, single)
        if packed:
            states = [self._permuted(state, input.sorted_indices) for state in states]
        last: list[list[Tensor]] = [[] for _ in states]
        for layer in range(self.num_layers):
            if layer and self.dropout and self.training:
                data = self.between(data)
            data = locked_dropout(data, self.input_dropout, self.training)
            begin = layer * self._directions
            ends, data = self._layer(layer, data, [s[begin : begin + self._directions] for s in states])
            for collected, end in zip(last, ends, strict=True):
                collected.append(end)
        final = [torch.cat(each) for each in last]
        if packed:
            final = [self._permuted(state, input.unsorted_indices) for state in final]
        elif single:
            data, final = data.squeeze(1), [state.squeeze(1) for state in final]
        elif self.batch_first:
            data = data.transpose(0, 1)
        return data, (tuple(final) if len(final) > 1 else final[0])

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    @staticmethod
    def _permuted(state: Tensor, order: Tensor | None) -> Tensor:
        return state if order is None else state.index_select(1, order)

    def _initial(self, like: Tensor, hx: Any, count: int, single: bool) -> list[Tensor]:
        sizes = [self.proj_size or self.hidden_size, self.hidden_size][: CELLS[self.mode].states]
        if hx is None:
            return [like.new_zeros(self.num_layers * self._directions, count, size) for size in sizes]
        given = list(hx) if isinstance(hx, tuple) else [hx]
        return [state.unsqueeze(1) for state in given] if single else given

    def between(self, data: Any) -> Any:
        """Dropout of what one layer gives the next."""
        if isinstance(data, PackedSequence):
            return data._replace(data=dropout(data.data, self.dropout))
        return dropout(data, self.dropout)

    def _weights(self, layer: int) -> list[list[Tensor]]:
        """Weights of each direction, the recurrent ones dropped where asked (Merity et al. 2018)."""
        names = self._all_weights[layer * self._directions : (layer + 1) * self._directions]
        found = [[getattr(self, name) for name in each] for each in names]
        for weights in found:
            weights[1] = weight_dropout(weights[1], self.weight_dropout, self.training)
        return found

    def _layer(self, layer: int, data: Any, states: Sequence[Tensor]) -> tuple[list[Tensor], Any]:
        weights = self._weights(layer)
        if self._by_step:
            return self._by_steps(weights, data, states)
        flat = [weight for each in weights for weight in each]
        fused = torch._VF.lstm if self.mode == "LSTM" else torch._VF.gru
        state: Any = tuple(states) if len(states) > 1 else states[0]
        rest = (flat, self.bias, 1, 0.0, self.training, self.bidirectional)
        if isinstance(data, PackedSequence):
            output, *ends = fused(data.data, data.batch_sizes, state, *rest)
            return ends, data._replace(data=output)
        output, *ends = fused(data, state, *rest, False)
        return ends, output

    def _by_steps(self, weights: list[list[Tensor]], data: Any, states: Sequence[Tensor]) -> tuple[list[Tensor], Any]:
        """One time step after another, where masks act inside the recurrence."""
        sizes: Tensor | None = None
        steps = data
        if isinstance(data, PackedSequence):
            sizes = data.batch_sizes
            steps = nn.utils.rnn.pad_packed_sequence(data._replace(sorted_indices=None, unsorted_indices=None))[0]
        rates = Rates(
            self.recurrent_dropout, self.recurrent_mode, self.zoneout_hidden, self.zoneout_cell, self.training
        )
        outputs, ends = [], []
        for direction, each in enumerate(weights):
            state: State = tuple(s[direction] for s in states)
            output, end = run_steps(CELLS[self.mode], steps, state, each, self.bias, rates, sizes, direction == 1)
            outputs.append(output)
            ends.append(end)
        result = torch.cat(outputs, -1)
        final = [torch.stack(pair) for pair in zip(*ends, strict=True)]
        if sizes is None:
            return final, result
        seen = torch.arange(result.shape[1]).unsqueeze(0) < sizes.unsqueeze(1)
        return final, data._replace(data=result[seen.to(result.device)])


class LSTM(_Recurrent):
    """``torch.nn.LSTM`` with dropout inside: the same arguments, tensors and state dict.

    All rates are 0 unless given, and then it is ``torch.nn.LSTM``. ``dropout`` acts between layers, as there.

    Args:
        *args: as ``torch.nn.LSTM``.
        input_dropout: rate of locked dropout on what goes into each layer (Gal & Ghahramani 2016).
        weight_dropout: rate of dropout of single hidden-to-hidden weights, one mask a pass (Merity et al. 2018).
        recurrent_dropout: rate of dropout inside the recurrence, one mask for all time steps.
        recurrent_mode: where that acts: on the ``"hidden"`` state that goes into the gates (Gal & Ghahramani 2016), or
            on the ``"update"`` of the cell (Semeniuta et al. 2016).
        zoneout_hidden: rate at which a hidden unit keeps its value from the step before (Krueger et al. 2017).
        zoneout_cell: the same for the cell. At inference zoneout takes the expectation.
        **kwargs: as ``torch.nn.LSTM``.

    The first two leave torch's fused kernels in use. The others run step by step in Python and are slower.

    Raises:
        InputError: a rate outside [0, 1].

    >>> lstm = LSTM(3, 4, num_layers=2, input_dropout=0.2)
    >>> output, (h, c) = lstm(torch.ones(5, 2, 3))
    >>> output.shape, h.shape
    (torch.Size([5, 2, 4]), torch.Size([2, 2, 4]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("LSTM", *args, **kwargs)


class GRU(_Recurrent):
    """``torch.nn.GRU`` with dropout inside; arguments as `LSTM`, without ``zoneout_cell`` and ``proj_size``.

    >>> output, h = GRU(3, 4, recurrent_dropout=0.2, batch_first=True)(torch.ones(2, 5, 3))
    >>> output.shape, h.shape
    (torch.Size([2, 5, 4]), torch.Size([1, 2, 4]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        for name in ("zoneout_cell", "proj_size"):
            if name in kwargs:
                raise TypeError(f"GRU.__init__() got an unexpected keyword argument '{name}'")
        super().__init__("GRU", *args, **kwargs)


def own_rates(module: nn.Module) -> list[str]:
    """The rates, by attribute, at which one of our LSTMs or GRUs drops beside what torch's would."""
    return [name for name in _RATES if getattr(module, name)]


def by_law(module: nn.RNNBase) -> nn.RNNBase:
    """The same object as our LSTM or GRU, so that its dropout between layers is by the mask law; others as they are."""
    ours = {nn.LSTM: LSTM, nn.GRU: GRU}.get(type(module))
    if ours is not None:
        module.__class__ = ours
        for name in _RATES:
            setattr(module, name, 0.0)
        module.recurrent_mode = "hidden"
    return module
