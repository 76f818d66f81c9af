"""Matrix products of many members, with the bits of each member's own."""

from __future__ import annotations

import torch
from torch import Tensor

from sukima.engines.stacked.storage import LINE, empty_rows

__all__ = ["aligned", "multiply"]

_TINY = 400
"""Multiplications below which torch forms a batch of products by a loop of its own, with another rounding."""


def multiply(a: Tensor, b: Tensor, out: Tensor, bias: Tensor | None = None) -> None:
    """``a · b``, plus ``bias`` in each row, into ``out``; every member's matrices must be `aligned`."""
    if len(a) > 1 and a.shape[1] * a.shape[2] * b.shape[2] >= _TINY:
        if bias is None:
            torch.bmm(a, b, out=out)
        else:
            torch.baddbmm(bias.unsqueeze(1), a, b, out=out)
        return
    for index in range(len(a)):
        if bias is None:
            torch.mm(a[index], b[index], out=out[index])
        else:
            torch.addmm(bias[index], a[index], b[index], out=out[index])


def aligned(matrices: Tensor) -> Tensor:
    """The same matrices, each beginning on a line as a tensor of its own would."""
    if matrices.stride(0) * matrices.element_size() % LINE == 0 and matrices.data_ptr() % LINE == 0:
        return matrices
    return empty_rows(matrices.shape, matrices).copy_(matrices)
