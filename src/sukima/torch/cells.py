"""The steps of LSTM and GRU with masks inside the recurrence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from sukima.masks.key import MaskKey
from sukima.torch.decisions import kind_key
from sukima.torch.masked import put_mask

__all__ = ["CELLS", "Cell", "Rates", "State", "run_steps"]

State = tuple[Tensor, ...]
Mask = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Rates:
    """What acts inside the recurrence, and whether it does (in training)."""

    recurrent: float
    mode: str
    zoneout_hidden: float
    zoneout_cell: float
    training: bool


@dataclass(frozen=True)
class Cell:
    """One kind of cell: how many states it has, and its step."""

    states: int
    step: Callable[[Tensor, State, list[Tensor], bool, Mask, Mask], State]


def _lstm(given: Tensor, state: State, weights: list[Tensor], bias: bool, hide: Mask, update: Mask) -> State:
    h, c = state
    gates = given + functional.linear(hide(h), weights[1], weights[3] if bias else None)
    i, f, g, o = gates.chunk(4, -1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * update(torch.tanh(g))
    h = torch.sigmoid(o) * torch.tanh(c)
    return (functional.linear(h, weights[-1]) if len(weights) in (3, 5) else h), c  # the last one projects


def _gru(given: Tensor, state: State, weights: list[Tensor], bias: bool, hide: Mask, update: Mask) -> State:
    (h,) = state
    r, z, n = given.chunk(3, -1)
    hr, hz, hn = functional.linear(hide(h), weights[1], weights[3] if bias else None).chunk(3, -1)
    z = torch.sigmoid(z + hz)
    new = update(torch.tanh(n + torch.sigmoid(r + hr) * hn))
    return ((1 - z) * new + z * h,)


CELLS = {"LSTM": Cell(2, _lstm), "GRU": Cell(1, _gru)}


def _same(value: Tensor) -> Tensor:
    return value


def _masker(like: Tensor, rate: float, kind: str) -> Mask:
    """One mask, drawn now, for every step."""
    if not rate:
        return _same
    key = kind_key(like, None, kind)
    return lambda value: put_mask(value, key, rate)


def _zoned(old: Tensor, new: Tensor, rate: float, key: MaskKey | Tensor | None, step: int) -> Tensor:
    """Each unit keeps its old value with probability ``rate``; without a key, the expectation."""
    if key is None:
        return rate * old + (1 - rate) * new
    return old + put_mask(new - old, key, rate, 1.0, first=step * old.numel())


def run_steps(
    cell: Cell,
    steps: Tensor,
    state: State,
    weights: list[Tensor],
    bias: bool,
    rates: Rates,
    sizes: Tensor | None,
    backward: bool,
) -> tuple[Tensor, State]:
    """Run one layer in one direction.

    Args:
        cell: which kind.
        steps: the inputs, (L, N, D).
        state: the states at the start, (N, H) each.
        weights: input to hidden, hidden to hidden, both biases if any, projection if any.
        bias: whether there are biases.
        rates: what acts.
        sizes: how many sequences are still running at each step (of sequences in order of falling length), or all.
        backward: from the last step to the first.

    Returns:
        The hidden states (L, N, H), and the states at the end.
    """
    given = functional.linear(steps, weights[0], weights[2] if bias else None)
    hidden, training = state[0], rates.training
    hide = _masker(hidden, rates.recurrent if training and rates.mode == "hidden" else 0.0, "recurrent hidden")
    update = _masker(state[-1], rates.recurrent if training and rates.mode == "update" else 0.0, "recurrent update")
    zoneouts = (rates.zoneout_hidden, rates.zoneout_cell)[: cell.states]
    drawn = training and any(zoneouts)
    keys = [kind_key(hidden, None, kind) if drawn else None for kind in ("zoneout hidden", "zoneout cell")]
    counts = [steps.shape[1]] * len(steps) if sizes is None else sizes.tolist()
    outputs: list[Tensor] = []
    order = range(len(steps) - 1, -1, -1) if backward else range(len(steps))
    for t in order:
        new = cell.step(given[t], state, weights, bias, hide, update)
        new = tuple(
            _zoned(old, value, rate, key, t) if rate else value
            for old, value, rate, key in zip(state, new, zoneouts, keys, strict=False)
        )
        if counts[t] < steps.shape[1]:  # sequences that are over keep their state
            new = tuple(
                torch.cat((value[: counts[t]], old[counts[t] :])) for old, value in zip(state, new, strict=True)
            )
        state = new
        outputs.append(state[0])
    if backward:
        outputs.reverse()
    return torch.stack(outputs), state
