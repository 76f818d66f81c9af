"""One decision for many elements: masks of whole channels, rows, steps or blocks put on memory, compiled by Numba.

The decisions are made first, a byte each; then every element takes the one that is its own. A *job* is as in
`sukima.masks.shares`, with a stride in the mask beside those in memory for each dimension.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray, njit

from sukima.masks.fused import SPAN, fuses, put_kept
from sukima.masks.kernels import cells, decide_range, place, put_run, shift_in, word_buffer
from sukima.masks.machine import at
from sukima.masks.numeric import emptied, scaled
from sukima.masks.shares import AHEAD, ALONG, DIMS, KEPT, RANK, SIZE, SPLIT, TABLE, X, Y, field, my_part, next_chunk

__all__ = ["broadcast", "decide"]


@njit
def _dimension(job: Any, d: Any) -> Any:
    """A dimension's length, and its strides in x, y and the mask."""
    return (
        field(job, DIMS + 4 * d), field(job, DIMS + 4 * d + 1), field(job, DIMS + 4 * d + 2),
        field(job, DIMS + 4 * d + 3),
    )  # fmt: skip


@njit
def _put_alike(
    x: Any, xs: Any, y: Any, ys: Any, size: Any, kept: Any, factor: Any, shift: Any, like: Any, width: Any
) -> None:
    """``size`` elements that one decision is for."""
    target = cells(y, like)
    empty = emptied(target, shift)
    if kept:
        source = cells(x, like)
        whole = size // SPAN * SPAN if xs == ys == 1 and fuses(like) else 0
        for i in range(0, whole, SPAN):
            put_kept(x + i * width, y + i * width, like, factor, shift)
        for i in range(whole, size):
            target[i * ys] = scaled(source[i * xs], factor, shift)
    elif ys == 1:
        carray(at(y, like), size)[:] = empty
    else:
        for i in range(size):
            target[i * ys] = empty


@njit
def _put_apart(
    x: Any, xs: Any, y: Any, ys: Any, size: Any, decided: Any, ms: Any, factor: Any, shift: Any, like: Any,
    width: Any,
) -> None:  # fmt: skip
    """``size`` elements, each with a decision of its own, ``ms`` bytes apart from the address ``decided`` on."""
    if xs == ys == ms == 1:
        put_run(x, y, size, decided, factor, shift, like, width)
        return
    source, target, bits = cells(x, like), cells(y, like), cells(decided, np.uint8(0))
    for i in range(size):
        value = scaled(source[i * xs], factor, shift)
        target[i * ys] = value if bits[i * ms] else emptied(target, shift)


@njit
def broadcast(job: Any, like: Any, one: Any, width: Any, moves: Any) -> None:
    """A mask of decided bytes over fewer elements than it decides: each dimension has a stride in the mask too.

    A chunk is a number of rows (the last dimension, or a piece of it). The order of the elements is free.
    """
    shift = shift_in(job, like, one, moves)
    last = field(job, RANK) - 1
    length, xs, ys, ms = _dimension(job, last)
    tall, piece, pieces = field(job, AHEAD), field(job, ALONG), field(job, SPLIT)
    rows, factor = field(job, SIZE) // length, carray(at(field(job, TABLE) + 32, one), 1)[0]
    across, x_next, y_next, m_next = _dimension(job, last - 1) if last else (np.int64(1), 0, 0, 0)
    kept = cells(field(job, KEPT), np.uint8(0))
    part = my_part(job)
    while True:
        chunk, part = next_chunk(job, part)
        if chunk < 0:
            return
        row, left = chunk // pieces * tall, chunk % pieces * piece
        count, stop = min(piece, length - left), min(rows, row + tall)
        while row < stop:
            x = field(job, X) + (place(job, row, last, 1) + left * xs) * width
            y = field(job, Y) + (place(job, row, last, 2) + left * ys) * width
            m = place(job, row, last, 3) + left * ms
            stretch = min(stop - row, across - row % across)  # rows that lie evenly spaced
            for _ in range(stretch):
                if ms == 0:
                    _put_alike(x, xs, y, ys, count, kept[m], factor, shift, like, width)
                else:
                    _put_apart(x, xs, y, ys, count, field(job, KEPT) + m, ms, factor, shift, like, width)
                x, y, m = x + x_next * width, y + y_next * width, m + m_next
            row += stretch


@njit
def decide(out: Any, size: Any, seed: Any, stream: Any, dropped: Any, bits: Any) -> None:
    """One byte an element for the first ``size`` elements of a mask; ``GROUP`` bytes after them are overwritten too."""
    decide_range(word_buffer(), out, np.uint64(0), size, seed, stream, dropped, bits)
