"""How many threads a trial gets.

Handing a small matrix product to several threads saves little, and where the machine is busy with anything else each
hand-over waits for a thread that is not running: steps that take a millisecond were seen to take forty.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import nn

__all__ = ["suitable_threads"]

_SMALL = 10_000_000
"""Multiplications in a training step (about) below which one thread does it."""


@contextlib.contextmanager
def suitable_threads(model: nn.Module, rows: int) -> Iterator[None]:
    """One thread while small models train in batches of ``rows``, torch's own setting for others.

    The choice depends on sizes alone, so that the same call gives the same bits.
    """
    before = torch.get_num_threads()
    small = rows * sum(parameter.numel() for parameter in model.parameters() if parameter.ndim == 2) < _SMALL
    convolves = any(parameter.ndim > 2 for parameter in model.parameters())
    if before > 1 and small and not convolves:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
