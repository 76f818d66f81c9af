"""Cross-entropy of class numbers, with its gradient in the same pass, compiled by Numba for the CPU.

For a few classes torch spends ten times as long on a row. A row's result depends on the row alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import torch
from numba import carray, njit
from torch import Tensor
from torch.autograd.function import FunctionCtx

from sukima.masks.cache import caching
from sukima.masks.machine import at

__all__ = ["compiles", "cross_entropy", "loss_of_row", "losses_and_gradient"]


@njit(error_model="numpy")
def loss_of_row(x: Any, classes: Any, target: Any, share: Any, rows: Any, g: Any) -> Any:
    """The loss of one row; its gradient, over the number of rows, goes to ``g``."""
    number = x.dtype.type
    largest = x[0]
    for c in range(1, classes):
        largest = max(largest, x[c])
    total = number(0)
    for c in range(classes):
        g[c] = np.exp(x[c] - largest)
        total += g[c]
    log_total = np.log(total)
    even, scale = share / number(classes), number(1) / (total * rows)
    spread = number(0)
    for c in range(classes):
        spread += x[c] - largest - log_total
        g[c] = g[c] * scale - even / rows
    g[target] -= (number(1) - share) / rows
    return -(number(1) - share) * (x[target] - largest - log_total) - even * spread


@cache
def _kernel(single: bool) -> Callable[..., None]:
    like, name = np.float32(0) if single else np.float64(0), "float32" if single else "float64"
    width, number = (4, np.float32) if single else (8, np.float64)

    def run(x: Any, apart: Any, g: Any, g_apart: Any, classes: Any, targets: Any, shares: Any, out: Any) -> None:
        rows = targets.shape[1]
        for member in range(len(shares)):
            total = 0.0
            for row in range(rows):
                place = row * classes * width
                source = carray(at(x + member * apart + place, like), classes)
                sink = carray(at(g + member * g_apart + place, like), classes)
                total += loss_of_row(source, classes, targets[member, row], shares[member], number(rows), sink)
            out[member] = total / rows

    run.__qualname__ = run.__name__ = f"cross_entropy_{name}"
    with caching() as kept:
        numbers = f"int64, int64, int64, int64, int64, int64[:, ::1], {name}[::1], float64[::1]"
        made: Callable[..., None] = njit(f"void({numbers})", error_model="numpy", nogil=True, cache=kept)(run)
    return made


def compiles(outputs: Tensor, targets: Tensor) -> bool:
    """Whether the kernel takes them: (…, rows, classes) and class numbers (…, rows)."""
    return (
        outputs.device.type == "cpu"
        and outputs.dtype in (torch.float32, torch.float64)
        and targets.dtype in (torch.int64, torch.int32, torch.uint8)
        and outputs.shape[:-1] == targets.shape
        and outputs.shape[-1] > 1
    )


def losses_and_gradient(outputs: Tensor, targets: Tensor, smoothing: Sequence[float]) -> tuple[Tensor, Tensor]:
    """The mean loss of each member, in double precision, and its gradient by outputs (members, rows, classes).

    Targets (members, rows) must be classes in range.
    """
    x = outputs if outputs[0].is_contiguous() else outputs.contiguous()
    single = x.dtype is torch.float32
    gradient = torch.empty(x.shape, dtype=x.dtype)
    shares = np.array(smoothing, np.float32 if single else np.float64)
    losses = np.empty(len(x), np.float64)
    size, classes = x.element_size(), x.shape[2]
    _kernel(single)(
        x.data_ptr(), x.stride(0) * size, gradient.data_ptr(), gradient.stride(0) * size, classes,
        targets.long().contiguous().numpy(), shares, losses,
    )  # fmt: skip
    return torch.from_numpy(losses), gradient


class _CrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, outputs: Tensor, targets: Tensor, smoothing: float) -> Tensor:
        losses, gradient = losses_and_gradient(outputs.unsqueeze(0), targets.unsqueeze(0), [smoothing])
        ctx.save_for_backward(gradient[0])
        return losses[0].to(outputs.dtype)

    @staticmethod
    def backward(ctx: FunctionCtx, *grads: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = ctx.saved_tensors  # type: ignore[attr-defined]  # of the context that torch passes
        return gradient * grads[0], None, None


def cross_entropy(outputs: Tensor, targets: Tensor, smoothing: float) -> Tensor:
    """As torch's, on what the kernel takes."""
    loss: Tensor = _CrossEntropy.apply(outputs, targets, smoothing)  # type: ignore[no-untyped-call]  # torch's own
    return loss
