"""Whole training steps of one member, compiled: linear layers, ReLU and dropout, loss, gradients and optimizer.

A *program* is a table with a row for each layer, by the names below; everything is given by addresses. Elementwise
layers work in place. A member takes many steps in a row, so that its parameters stay in the processor's cache, and no
call into Python lies between them. Each number is computed by the same operations as by torch's layers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numba import carray, njit

from sukima.engines.stacked import gemm
from sukima.engines.stacked.gemm import product
from sukima.engines.torch import cross_entropy, updates
from sukima.engines.torch.cross_entropy import loss_of_row
from sukima.engines.torch.updates import take
from sukima.masks.cache import caching
from sukima.masks.machine import address_of, at, hold
from sukima.masks.shares import do_job, room, set_line

__all__ = [
    "BIAS", "COLUMNS", "CROSS_ENTROPY", "FAN_IN", "FAN_OUT", "INPUTS", "KIND", "LINEAR", "MASK", "MASK_AFTER_RELU",
    "OF_BIAS", "OF_INPUTS", "OF_OUTPUTS", "OF_WEIGHT", "OUTPUTS", "RELU", "SITE", "SQUARES", "WEIGHT",
    "forward_kernel", "gradients_kernel", "train_kernel",
]  # fmt: skip

LINEAR, RELU, MASK, MASK_AFTER_RELU = range(4)
(
    KIND, FAN_IN, FAN_OUT, SITE, INPUTS, OUTPUTS, OF_INPUTS, OF_OUTPUTS, WEIGHT, BIAS, OF_WEIGHT, OF_BIAS,
) = range(12)  # fmt: skip
COLUMNS = 12
"""Of a program; a bias of 0 is none, and gradients of inputs with the address 0 are not wanted."""

CROSS_ENTROPY, SQUARES = range(2)

_ZERO = np.float32(0)


@njit(error_model="numpy")
def _floats(address: Any, count: Any) -> Any:
    return carray(at(address, _ZERO), count)


@njit(error_model="numpy")
def _mask(work: Any, x: Any, size: Any, seed: Any, constants: Any) -> None:
    """Put a mask on numbers where they are."""
    numbers = np.empty(room(1), np.int64)
    job = address_of(numbers)
    set_line(numbers, job, 1, x, x, size, seed, 0, constants[0], constants[1], constants[2], 0)
    do_job(work, 0, 1, job)
    hold(numbers)


_LEVELS, _AT_ONCE = 4, 16


@njit(error_model="numpy")
def _sum_part(values: Any, rows: Any, columns: Any, first: Any, last: Any, lanes: Any, out: Any) -> None:
    """Some columns' sums: ``lanes`` rows beside each other, each in stages of sixteen numbers, of sixteen sums, …"""
    width = last - first
    apart = lanes * width
    sums = np.zeros(_LEVELS * apart, np.float32)
    groups, done = rows // lanes, 0
    while done < groups:
        for lane in range(lanes):
            source = (done * lanes + lane) * columns + first
            for column in range(width):
                sums[lane * width + column] += values[source + column]
        done += 1
        together = 1
        for level in range(1, _LEVELS):
            together *= _AT_ONCE
            if done % together:
                break
            for i in range(apart):
                sums[level * apart + i] += sums[(level - 1) * apart + i]
                sums[(level - 1) * apart + i] = _ZERO
    for level in range(1, _LEVELS):
        for i in range(apart):
            sums[i] += sums[level * apart + i]
    for row in range(groups * lanes, rows):
        for column in range(width):
            sums[column] += values[row * columns + first + column]
    for column in range(width):
        total = sums[column]
        for lane in range(1, lanes):
            total += sums[lane * width + column]
        out[first + column] = total


_VECTOR = 8


@njit(error_model="numpy")
def _sum_rows(x: Any, rows: Any, columns: Any, out: Any) -> None:
    """The sum over rows, in the order in which torch adds them: columns in blocks, and what is left of them in four
    lanes of rows; a single column as if it had eight."""
    single = columns == 1 and rows >= _VECTOR
    parts = np.empty(_VECTOR, np.float32)
    high, wide = (rows // _VECTOR, _VECTOR) if single else (rows, columns)
    block = 4 * _VECTOR if wide >= _VECTOR else 4
    whole = wide // block * block
    values, total = _floats(x, rows * columns), carray(at(address_of(parts) if single else out, _ZERO), wide)
    for lanes in (1, 4):
        first, last = (0, whole) if lanes == 1 else (whole, wide)
        _sum_part(values, high, wide, first, last, lanes, total)
    if single:
        total = _floats(out, 1)
        total[0] = _ZERO
        for row in range(high * wide, rows):
            total[0] += values[row]
        for lane in range(_VECTOR):
            total[0] += parts[lane]


@njit(error_model="numpy")
def _linear(routine: Any, layer: Any, rows: Any) -> None:
    if layer[BIAS]:
        bias, y = _floats(layer[BIAS], layer[FAN_OUT]), _floats(layer[OUTPUTS], rows * layer[FAN_OUT])
        for row in range(rows):
            for column in range(bias.size):
                y[row * bias.size + column] = bias[column]
    product(
        routine, layer[INPUTS], False, layer[WEIGHT], True, layer[OUTPUTS],
        rows, layer[FAN_IN], layer[FAN_OUT], layer[BIAS] != 0,
    )  # fmt: skip


@njit(error_model="numpy")
def _of_linear(routine: Any, layer: Any, rows: Any) -> None:
    """The gradients."""
    product(
        routine, layer[OF_OUTPUTS], True, layer[INPUTS], False, layer[OF_WEIGHT],
        layer[FAN_OUT], rows, layer[FAN_IN], False,
    )  # fmt: skip
    if layer[BIAS]:
        _sum_rows(layer[OF_OUTPUTS], rows, layer[FAN_OUT], layer[OF_BIAS])
    if layer[OF_INPUTS]:
        product(
            routine, layer[OF_OUTPUTS], False, layer[WEIGHT], False, layer[OF_INPUTS],
            rows, layer[FAN_OUT], layer[FAN_IN], False,
        )  # fmt: skip


@njit(error_model="numpy")
def _forward(routine: Any, work: Any, program: Any, rows: Any, seeds: Any, sites: Any) -> None:
    for layer in program:
        size = rows * layer[FAN_OUT]
        if layer[KIND] == LINEAR:
            _linear(routine, layer, rows)
        elif layer[KIND] == RELU:
            y = _floats(layer[OUTPUTS], size)
            for i in range(size):
                y[i] = _ZERO if y[i] <= _ZERO else y[i]
        elif sites[layer[SITE], 0]:
            _mask(work, layer[OUTPUTS], size, seeds[layer[SITE]], sites[layer[SITE]])


@njit(error_model="numpy")
def _backward(routine: Any, work: Any, program: Any, rows: Any, seeds: Any, sites: Any, factors: Any) -> None:
    for index in range(len(program) - 1, -1, -1):
        layer = program[index]
        size = rows * layer[FAN_OUT]
        if layer[KIND] == LINEAR:
            _of_linear(routine, layer, rows)
            if layer[OF_INPUTS] == 0:
                break
        elif layer[KIND] == RELU:
            y, g = _floats(layer[OUTPUTS], size), _floats(layer[OF_OUTPUTS], size)
            for i in range(size):
                g[i] = _ZERO if y[i] <= _ZERO else g[i]
        elif sites[layer[SITE], 0] and layer[KIND] == MASK:
            _mask(work, layer[OF_OUTPUTS], size, seeds[layer[SITE]], sites[layer[SITE]])
        elif sites[layer[SITE], 0]:  # what was dropped is 0 after the ReLU, which stops its gradient
            g, factor = _floats(layer[OF_OUTPUTS], size), factors[layer[SITE]]
            for i in range(size):
                g[i] *= factor


@njit(error_model="numpy")
def _loss(kind: Any, layer: Any, rows: Any, classes: Any, values: Any, chosen: Any, share: Any) -> Any:
    """The mean loss of the outputs, whose gradient goes where the last layer has it."""
    width = layer[FAN_OUT]
    total = 0.0
    if kind == CROSS_ENTROPY:
        for row in range(rows):
            y, g = _floats(layer[OUTPUTS] + 4 * row * width, width), _floats(layer[OF_OUTPUTS] + 4 * row * width, width)
            total += loss_of_row(y, width, classes[chosen[row]], share, np.float32(rows), g)
        return total / rows
    y, g = _floats(layer[OUTPUTS], rows * width), _floats(layer[OF_OUTPUTS], rows * width)
    norm = np.float32(2.0 / (rows * width))
    for row in range(rows):
        for column in range(width):
            apart = y[row * width + column] - values[chosen[row] * width + column]
            g[row * width + column] = norm * apart
            total += apart * apart
    return total / (rows * width)


@njit(error_model="numpy")
def _train(
    routine: Any, work: Any, program: Any, data: Any, order: Any, spans: Any, seeds: Any, sites: Any, factors: Any,
    kind: Any, classes: Any, values: Any, share: Any, rule: Any, table: Any, numbers: Any, constants: Any, losses: Any,
) -> None:  # fmt: skip
    width = program[0, FAN_IN]
    for step in range(len(spans)):
        chosen = order[spans[step, 0] : spans[step, 1]]
        rows = len(chosen)
        inputs = _floats(program[0, INPUTS], rows * width)
        for row in range(rows):
            source = _floats(data + 4 * chosen[row] * width, width)
            for column in range(width):
                inputs[row * width + column] = source[column]
        _forward(routine, work, program, rows, seeds[step], sites)
        losses[step] = _loss(kind, program[-1], rows, classes, values, chosen, share)
        _backward(routine, work, program, rows, seeds[step], sites, factors)
        take(rule, table, numbers, constants, _ZERO)


# The files whose functions are a part of these kernels.
_SOURCES = tuple(Path(str(module.__file__)) for module in (gemm, updates, cross_entropy))


def _compiled(run: Callable[..., Any], signature: str) -> Callable[..., Any]:
    with caching(*_SOURCES) as kept:
        made: Callable[..., Any] = njit(f"void({signature})", error_model="numpy", nogil=True, cache=kept)(run)
    return made


@cache
def train_kernel() -> Callable[..., None]:
    """Steps of one member.

    ``(routine, work, program, data, order, spans, seeds, sites, factors, kind, classes, values, share, rule, table,
    numbers, constants, losses)``: the addresses of the product's routine and of the mask's worker; the program; the
    address of the inputs, which lie row by row; the order of the rows and where in it each step begins and ends; seeds
    (steps, sites); threshold, bits and factor's pattern of each site, with a threshold of 0 where nothing is dropped,
    and its factor; the kind of loss, targets as class numbers or as values, and the share of label smoothing; the
    optimizer's rule with its tables (see `updates`); and where the losses of the steps go.
    """

    def run(
        routine: Any, work: Any, program: Any, data: Any, order: Any, spans: Any, seeds: Any, sites: Any,
        factors: Any, kind: Any, classes: Any, values: Any, share: Any, rule: Any, table: Any, numbers: Any,
        constants: Any, losses: Any,
    ) -> None:  # fmt: skip
        _train(
            routine, work, program, data, order, spans, seeds, sites, factors, kind, classes, values, share, rule,
            table, numbers, constants, losses,
        )  # fmt: skip

    return _compiled(
        run,
        "int64, int64, int64[:, ::1], int64, int64[::1], int64[:, ::1], int64[:, ::1], int64[:, ::1], "
        "float32[::1], int64, int64[::1], float32[::1], float32, int64, int64[:, ::1], float32[:, ::1], float64[::1], "
        "float64[::1]",
    )


@cache
def forward_kernel() -> Callable[..., None]:
    """``(routine, program, rows)`` → the outputs of a program without masks."""

    def run(routine: Any, program: Any, rows: Any) -> None:
        nothing = np.zeros((0, 3), np.int64)
        _forward(routine, 0, program, rows, nothing[:, 0].copy(), nothing)

    return _compiled(run, "int64, int64[:, ::1], int64")


@cache
def gradients_kernel() -> Callable[..., None]:
    """``(routine, program, rows)`` → the gradients of a program of one linear layer."""

    def run(routine: Any, program: Any, rows: Any) -> None:
        _of_linear(routine, program[0], rows)

    return _compiled(run, "int64, int64[:, ::1], int64")
