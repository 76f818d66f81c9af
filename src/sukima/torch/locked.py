"""Locked (variational) dropout: one mask for all time steps of a sequence, on the mask law."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from sukima.base.errors import InputError
from sukima.masks.key import Key
from sukima.torch.decisions import kind_key, masked_by
from sukima.torch.keys import of_kind
from sukima.torch.masked import check_input, site_key
from sukima.torch.rated import RatedModule, is_off, rate_of
from sukima.torch.structured import keep_over, masked_over, scale_of, whole_shape

__all__ = ["LockedDropout", "locked_dropout"]

Sequences = TypeVar("Sequences", Tensor, PackedSequence)


def locked_dropout(
    input: Sequences,
    p: float | Tensor = 0.5,
    training: bool = True,
    *,
    batch_first: bool = False,
    key: Key | None = None,
) -> Sequences:
    """Drop features of a sequence, the same at all its time steps, with probability ``p`` in training.

    Element (n, d) of the mask, n the sample and d the feature, is element ``n * D + d`` of the law, whatever the
    layout: padded and packed sequences have the same masks. Kept ones are multiplied by 1/(1 - p).

    Args:
        input: (L, N, D), with ``batch_first`` (N, L, D); (L, D) is one sequence; or a ``PackedSequence``.
        p: the rate, in [0, 1].
        training: whether to drop at all.
        batch_first: which layout a tensor has.
        key: what decides the mask; by default one draw from torch's generator.

    Raises:
        InputError: an argument is not as described.

    Paper: Gal & Ghahramani, A Theoretically Grounded Application of Dropout in Recurrent Neural Networks, NeurIPS 2016.

    >>> y = locked_dropout(torch.ones(9, 2, 3), 0.5)
    >>> bool((y == y[0]).all())
    True
    """
    rate = rate_of(p)
    if isinstance(input, PackedSequence):
        if is_off(training, rate):
            return input
        return input._replace(data=_packed(input, rate, key))
    check_input(input)
    if input.dim() not in (2, 3):
        raise InputError(
            "{name} must be {expected}, got {value}", name="input", expected="2-D or 3-D", value=tuple(input.shape)
        )
    if is_off(training, rate):
        return input
    drawn = of_kind(site_key(input, key), "locked")
    shape = list(whole_shape(input, drawn))
    shape[1 if input.dim() == 3 and batch_first else 0] = 1
    return masked_over(input, shape, drawn, rate)


def _packed(input: PackedSequence, rate: float | Tensor, key: Key | None) -> Tensor:
    data = input.data
    check_input(data)
    drawn = kind_key(data, key, "locked")
    counts = input.batch_sizes
    begins = counts.cumsum(0) - counts
    row = torch.arange(data.shape[0]) - begins.repeat_interleave(counts)  # place in the order of falling lengths
    if input.sorted_indices is not None:
        row = input.sorted_indices.cpu()[row]
    rows = row.to(data.device)
    shape = (int(counts[0]) if len(counts) else 0, data.shape[-1])
    return masked_by(data, lambda: keep_over(shape, drawn, rate, data.device)[rows], scale_of(rate))


class LockedDropout(RatedModule):
    """`locked_dropout` as a module."""

    def __init__(self, p: float = 0.5, *, batch_first: bool = False) -> None:
        super().__init__(p)
        self.batch_first = batch_first

    def forward(self, input: Sequences) -> Sequences:
        """Drop features of ``input`` in training mode."""
        return locked_dropout(input, self.in_force, self.training, batch_first=self.batch_first)

    def extra_repr(self) -> str:
        """The arguments, as torch shows them."""
        return f"{super().extra_repr()}, batch_first={self.batch_first}"
