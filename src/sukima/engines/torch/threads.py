"""How many threads a trial gets.

Handing a small matrix product to several threads saves little, and where the machine is busy with anything else each
hand-over waits for a thread that is not running: steps that take a millisecond were seen to take forty.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from sukima.torch.layers import is_weight_layer
from sukima.torch.modes import evaluating

__all__ = ["multiplications", "one_thread", "suitable_threads"]

_SMALL = 20_000_000
"""Multiplications in a forward pass (about) below which one thread does it."""


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """One thread inside, and afterwards as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextlib.contextmanager
def suitable_threads(model: nn.Module, example: Any, rows: int) -> Iterator[None]:
    """One thread while small models train in batches of ``rows``, torch's own setting for others.

    ``example`` is a batch of inputs of any size. The choice depends on sizes alone, so that the same call gives the
    same bits.
    """
    small = torch.get_num_threads() > 1 and multiplications(model, example) * rows < _SMALL
    with one_thread() if small else contextlib.nullcontext():
        yield


def multiplications(model: nn.Module, example: Any) -> float:
    """Of the layers with weights, for one row: each position of an output takes one column of the weights."""
    if not isinstance(example, Tensor):
        return float("inf")
    counted = 0

    def count(layer: nn.Module, _inputs: Any, output: Any) -> None:
        nonlocal counted
        first = output[0] if isinstance(output, tuple) else output
        if isinstance(first, Tensor) and first.ndim > 1:
            weights = sum(parameter.numel() for parameter in layer.parameters() if parameter.ndim > 1)
            channels = first.shape[1] if isinstance(layer, nn.modules.conv._ConvNd) else first.shape[-1]
            counted += weights * first.numel() // max(channels, 1)

    handles = [layer.register_forward_hook(count) for layer in model.modules() if is_weight_layer(layer)]
    try:
        with evaluating(model), torch.no_grad(), torch.random.fork_rng():
            model(example)
    finally:
        for handle in handles:
            handle.remove()
    return counted / max(len(example), 1)
