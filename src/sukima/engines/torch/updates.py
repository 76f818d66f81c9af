"""The optimizers' steps, compiled by Numba for the CPU.

A *row* is one tensor of one network: its addresses in one table and its own numbers (learning rate and the like) in
another, so that one call takes a step for every tensor of many networks. Each element is computed by the same
operations in the same order wherever it lies in memory, so that a network's bits do not depend on what is beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import carray, njit

from sukima.masks.cache import caching
from sukima.masks.machine import at

__all__ = ["ADDRESSES", "NUMBERS", "RULES", "step_kernel", "take"]

ADDRESSES = ("parameter", "gradient", "first", "second", "size", "network", "steps")
"""Columns of the table of 64-bit integers. ``first`` and ``second`` are what the optimizer remembers; a ``gradient`` of
0 is none, and the row is left alone."""

NUMBERS = ("learning_rate", "decay", "l1", "l2", "clip")
"""Columns of the table of numbers, in the type of the data; a ``clip`` of 0 is none."""


@njit(error_model="numpy")
def _penalised(gradient: Any, weight: Any, l1: Any, l2: Any) -> Any:
    """The gradient with that of ``l1 · |weight| + l2 · weight² / 2``."""
    zero = l1 - l1
    sign = l1 if weight > zero else (-l1 if weight < zero else zero)
    return gradient + sign + l2 * weight


_LANES = 16


@njit(error_model="numpy")
def _square_sum(p: Any, g: Any, l1: Any, l2: Any) -> Any:
    """Of a row's gradient. The order of the sum is spelled out, in lanes that fill a vector: left to the compiler, it
    differs from one kernel to another."""
    lanes = np.zeros(_LANES, np.float64)
    whole = p.size // _LANES * _LANES
    for first in range(0, whole, _LANES):
        for lane in range(_LANES):
            value = np.float64(_penalised(g[first + lane], p[first + lane], l1, l2))
            lanes[lane] += value * value
    for i in range(whole, p.size):
        value = np.float64(_penalised(g[i], p[i], l1, l2))
        lanes[i - whole] += value * value
    total = 0.0
    for lane in range(_LANES):
        total += lanes[lane]
    return total


@njit(error_model="numpy")
def _cells(table: Any, row: Any, column: Any, like: Any) -> Any:
    return carray(at(table[row, column], like), table[row, 4])


@njit(error_model="numpy")
def _scales(table: Any, numbers: Any, like: Any) -> Any:
    """What each network's gradient is multiplied with, so that its norm is at most its ``clip``."""
    networks = 0
    for row in range(len(table)):
        networks = max(networks, table[row, 5] + 1)
    squares, scales = np.zeros(networks, np.float64), np.ones(networks, numbers.dtype)
    for row in range(len(table)):
        if numbers[row, 4] > 0 and table[row, 1] != 0:
            p, g = _cells(table, row, 0, like), _cells(table, row, 1, like)
            squares[table[row, 5]] += _square_sum(p, g, numbers[row, 2], numbers[row, 3])
    for row in range(len(table)):
        norm = np.sqrt(squares[table[row, 5]])
        if 0 < numbers[row, 4] < norm:
            scales[table[row, 5]] = numbers[row, 4] / norm
    return scales


@njit(error_model="numpy")
def _adam(p: Any, g: Any, m: Any, v: Any, row: Any, scale: Any, steps: Any, c: Any) -> None:
    """Kingma & Ba 2015, with the decoupled decay of Loshchilov & Hutter 2019; ``c``: β₁, β₂, ε."""
    number = p.dtype.type
    step = number(np.float64(row[0]) / (1 - c[0] ** steps))
    root = number(1 / np.sqrt(1 - c[1] ** steps))
    new, beta2, new2, epsilon = number(1 - c[0]), number(c[1]), number(1 - c[1]), number(c[2])
    shrunk, l1, l2 = number(1 - np.float64(row[0]) * np.float64(row[1])), row[2], row[3]
    for i in range(p.size):
        weight = p[i]
        gradient = _penalised(g[i], weight, l1, l2) * scale
        first = m[i] + (gradient - m[i]) * new
        second = v[i] * beta2 + gradient * gradient * new2
        m[i] = first
        v[i] = second
        p[i] = weight * shrunk - step * first / (np.sqrt(second) * root + epsilon)


@njit(error_model="numpy")
def _momentum(p: Any, g: Any, m: Any, row: Any, scale: Any, c: Any) -> None:
    """Momentum ``c[0]``, in Nesterov's form where ``c[1]`` is 1; the decay is a part of the gradient."""
    number = p.dtype.type
    rate, decay, l1, l2 = row[0], row[1], row[2], row[3]
    kept, ahead = number(c[0]), number(c[1])
    share = number(c[0] if c[1] else 1.0)
    for i in range(p.size):
        gradient = _penalised(g[i], p[i], l1, l2) * scale + decay * p[i]
        first = m[i] * kept + gradient
        m[i] = first
        p[i] -= rate * (gradient * ahead + first * share)


@njit(error_model="numpy")
def _sgd(p: Any, g: Any, row: Any, scale: Any) -> None:
    """Plain; the decay is a part of the gradient."""
    rate, decay, l1, l2 = row[0], row[1], row[2], row[3]
    for i in range(p.size):
        p[i] -= rate * (_penalised(g[i], p[i], l1, l2) * scale + decay * p[i])


@njit(error_model="numpy")
def _rmsprop(p: Any, g: Any, m: Any, row: Any, scale: Any, c: Any) -> None:
    """Tieleman & Hinton 2012; ``c``: α, ε; the decay is a part of the gradient."""
    number = p.dtype.type
    rate, decay, l1, l2 = row[0], row[1], row[2], row[3]
    alpha, new, epsilon = number(c[0]), number(1 - c[0]), number(c[1])
    for i in range(p.size):
        gradient = _penalised(g[i], p[i], l1, l2) * scale + decay * p[i]
        square = m[i] * alpha + gradient * gradient * new
        m[i] = square
        p[i] -= rate * gradient / (np.sqrt(square) + epsilon)


RULES = ("sgd", "momentum", "adam", "rmsprop")
"""Names of the rules; a kernel takes their index."""


@njit(error_model="numpy")
def take(rule: Any, table: Any, numbers: Any, constants: Any, like: Any) -> None:
    """A step for every row, in numbers of the type of ``like``."""
    scales = _scales(table, numbers, like)
    for row in range(len(table)):
        if table[row, 1] == 0:
            continue
        table[row, 6] += 1
        p, g = _cells(table, row, 0, like), _cells(table, row, 1, like)
        m, v = _cells(table, row, 2, like), _cells(table, row, 3, like)
        scale, steps = scales[table[row, 5]], table[row, 6]
        if rule == 0:
            _sgd(p, g, numbers[row], scale)
        elif rule == 1:
            _momentum(p, g, m, numbers[row], scale, constants)
        elif rule == 2:
            _adam(p, g, m, v, numbers[row], scale, steps, constants)
        else:
            _rmsprop(p, g, m, numbers[row], scale, constants)


@cache
def step_kernel(single: bool) -> Callable[..., None]:
    """``(rule, table, numbers, constants)`` → a step for every row, in single or double precision."""
    like, name = np.float32(0) if single else np.float64(0), "float32" if single else "float64"

    def run(rule: Any, table: Any, numbers: Any, constants: Any) -> None:
        take(rule, table, numbers, constants, like)

    run.__qualname__ = run.__name__ = f"step_{name}"
    with caching() as kept:
        signature = f"void(int64, int64[:, ::1], {name}[:, ::1], float64[::1])"
        made: Callable[..., None] = njit(signature, error_model="numpy", nogil=True, cache=kept)(run)
    return made
