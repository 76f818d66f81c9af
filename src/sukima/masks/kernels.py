"""The loops that put masks on memory, compiled by Numba.

Threads share a *job* (see `sukima.masks.shares`). A mask is applied a tile at a time: first the tile's words into a
small buffer, then one pass over the data. Split so, both loops vectorize.

A job may have a *shift*: kept elements have HIGH added, dropped ones become LOW; else they become +0.

A job has *rows*: independent masks over equal shapes, each with its own entry (seed, stream, threshold, bits, factor,
first index) in a table, and their data a fixed distance apart. One mask over a whole tensor is a job of one row.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray, njit

from sukima.masks.fused import GROUP, SPAN, decide_group, fuses, put_decided, put_group
from sukima.masks.machine import address_of, at, hold, transpose8
from sukima.masks.numeric import emptied, scaled, shift_of
from sukima.masks.philox import LANES, fill
from sukima.masks.shares import (
    AHEAD,
    ALONG,
    DIMS,
    FIELDS,
    HIGH,
    LOW,
    RANK,
    ROW_X,
    ROW_Y,
    SIZE,
    SPLIT,
    TABLE,
    TILE,
    X,
    Y,
    field,
    my_part,
    next_chunk,
)

__all__ = ["ROOM", "cells", "decide_range", "place", "put_run", "shift_in", "turned", "walk", "word_buffer"]

ROOM = 1 << 18  # bytes for the decisions of a turned tile: they stay in the second-level cache


@njit
def cells(address: Any, like: Any) -> Any:
    """The numbers from an address on."""
    return carray(at(address, like), 1 << 62)


@njit
def _decide(words: Any, dropped: Any, out: Any) -> None:
    """One byte an element: whether it is kept."""
    for i in range(out.size):
        out[i] = words[i] >= dropped


@njit
def _put(x: Any, y: Any, bits: Any, least: Any, factor: Any, shift: Any) -> None:
    empty = emptied(y, shift)
    for i in range(y.size):
        value = scaled(x[i], factor, shift)
        y[i] = value if bits[i] >= least else empty


@njit
def _put_in_place(y: Any, bits: Any, least: Any, factor: Any, shift: Any) -> None:
    empty = emptied(y, shift)
    for i in range(y.size):
        value = scaled(y[i], factor, shift)
        y[i] = value if bits[i] >= least else empty


@njit
def _put_strided(x: Any, xs: Any, y: Any, ys: Any, bits: Any, least: Any, factor: Any, shift: Any) -> None:
    empty = emptied(y, shift)
    for i in range(bits.size):
        value = scaled(x[i * xs], factor, shift)
        y[i * ys] = value if bits[i] >= least else empty


@njit
def _segment(
    x: Any, xs: Any, y: Any, ys: Any, size: Any, bits: Any, least: Any, factor: Any, shift: Any, like: Any
) -> None:
    """Elements at the addresses ``x`` and ``y``, ``xs`` and ``ys`` elements apart."""
    if xs == 1 and ys == 1:
        target = carray(at(y, like), size)
        if x == y:  # told apart because a loop over overlapping memory does not vectorize
            _put_in_place(target, bits, least, factor, shift)
        else:
            _put(carray(at(x, like), size), target, bits, least, factor, shift)
    else:
        _put_strided(cells(x, like), xs, cells(y, like), ys, bits[:size], least, factor, shift)


@njit
def place(job: Any, index: Any, rank: Any, which: Any) -> Any:
    """How many elements into its row the element ``index`` lies (``which``: 1 for x, 2 for y, 3 for the mask)."""
    here = np.int64(0)
    for d in range(rank - 1, -1, -1):
        length = field(job, DIMS + 4 * d)
        here += index % length * field(job, DIMS + 4 * d + which)
        index //= length
    return here


@njit
def _spread(
    job: Any, x: Any, y: Any, start: Any, stop: Any, bits: Any, least: Any, factor: Any, shift: Any, like: Any,
    width: Any,
) -> None:  # fmt: skip
    """Elements ``start`` to ``stop`` of a row, decided by ``bits``, wherever in memory they lie."""
    last = field(job, RANK) - 1
    at_last = DIMS + 4 * last
    length, xs, ys = field(job, at_last), field(job, at_last + 1), field(job, at_last + 2)
    done = start
    while done < stop:
        count = min(stop, (done // length + 1) * length) - done
        tx = x + place(job, done, last + 1, 1) * width
        ty = y + place(job, done, last + 1, 2) * width
        _segment(tx, xs, ty, ys, count, bits[done - start :], least, factor, shift, like)
        done += count


@njit
def _tile(buffer: Any, index: Any, size: Any, bits: Any, seed: Any, stream: Any) -> Any:
    """Fill the buffer for as many of the ``size`` elements from ``index`` on as it holds.

    Gives how many these are, and where in the buffer the first one's bits lie (in units of ``bits``).
    """
    group = np.uint64(LANES * 128 // bits)
    skipped = np.int64(index % group)
    count = min(size, TILE - skipped)
    blocks = (skipped + count + np.int64(group) - 1) // np.int64(group) * LANES
    fill(buffer, (index - np.uint64(skipped)) // np.uint64(128 // bits), blocks, seed, stream)
    return count, skipped


@njit
def word_buffer() -> Any:
    """Room for a tile's words, on a cache line of its own: a vector that crosses two lines costs twice."""
    space = np.empty(2 * (TILE // 4 + LANES) + 8, np.uint64)
    return space[-(address_of(space) >> 3) & 7 :]


@njit
def _entry(job: Any, row: Any, one: Any) -> Any:
    """A row's seed, stream, threshold, bits, first index and factor."""
    address = field(job, TABLE) + row * 8 * FIELDS
    fields = carray(at(address, np.uint64(0)), FIELDS)
    return fields[0], fields[1], fields[2], np.int64(fields[3]), fields[5], carray(at(address + 32, one), 1)[0]


@njit
def _put_groups(
    x: Any,
    y: Any,
    start: Any,
    stop: Any,
    first: Any,
    seed: Any,
    stream: Any,
    dropped: Any,
    factor: Any,
    shift: Any,
    like: Any,
    width: Any,
) -> Any:
    """As many whole groups from ``start`` on as there are, if one begins there; gives where they end."""
    index = first + np.uint64(start)
    if index % np.uint64(GROUP) or not fuses(like):
        return start
    number, groups = index // np.uint64(8), (stop - start) // GROUP
    for group in range(groups):
        at_x, at_y = x + (start + group * GROUP) * width, y + (start + group * GROUP) * width
        put_group(at_x, at_y, like, number + np.uint64(group * LANES), seed, stream, np.uint16(dropped), factor, shift)
    return start + groups * GROUP


@njit
def shift_in(job: Any, like: Any, one: Any, moves: Any) -> Any:
    """The shift of a job, which has one unless ``moves`` is none."""
    at_high, at_low = carray(at(job + 8 * HIGH, one), 1), carray(at(job + 8 * LOW, one), 1)
    return shift_of(at_high[0], at_low[0], like, moves)


@njit
def walk(job: Any, like: Any, one: Any, width: Any, moves: Any) -> None:
    """Rows of any layout, in the order of the mask: fast where that is the order of memory."""
    shift = shift_in(job, like, one, moves)
    size, split, chunk_size = field(job, SIZE), field(job, SPLIT), field(job, ALONG)
    buffer, nothing = word_buffer(), np.zeros(TILE, np.uint8)
    in_order = field(job, RANK) == 1 and field(job, DIMS + 1) == field(job, DIMS + 2) == 1
    part = my_part(job)
    while True:
        chunk, part = next_chunk(job, part)
        if chunk < 0:
            return
        row = chunk // split
        x = field(job, X) + row * field(job, ROW_X) * width
        y = field(job, Y) + row * field(job, ROW_Y) * width
        seed, stream, dropped, bits, first, factor = _entry(job, row, one)
        start = chunk % split * chunk_size
        stop = min(size, start + chunk_size)
        if in_order and bits == 16 and not dropped >> np.uint64(16):
            start = _put_groups(x, y, start, stop, first, seed, stream, dropped, factor, shift, like, width)
        while start < stop:
            count, skipped = _tile(buffer, first + np.uint64(start), stop - start, bits, seed, stream)
            end = start + count
            if dropped >> np.uint64(bits):
                _spread(job, x, y, start, end, nothing, np.uint8(1), factor, shift, like, width)
            elif bits == 16:
                halves = buffer.view(np.uint16)[skipped:]
                _spread(job, x, y, start, end, halves, np.uint16(dropped), factor, shift, like, width)
            else:
                whole = buffer.view(np.uint32)[skipped:]
                _spread(job, x, y, start, end, whole, np.uint32(dropped), factor, shift, like, width)
            start = end


@njit
def decide_range(buffer: Any, out: Any, index: Any, size: Any, seed: Any, stream: Any, dropped: Any, bits: Any) -> None:
    """One byte an element for ``size`` elements from ``index`` on, the first at the address ``out``.

    Writes whole groups: up to ``GROUP`` bytes before and after belong to no one.
    """
    if bits == 16 and not dropped >> np.uint64(16):
        skipped = np.int64(index % np.uint64(GROUP))
        number = (index - np.uint64(skipped)) // np.uint64(8)
        for group in range((skipped + size + GROUP - 1) // GROUP):
            target = out - skipped + group * GROUP
            decide_group(target, number + np.uint64(group * LANES), seed, stream, np.uint16(dropped))
        return
    decided = carray(at(out, np.uint8(0)), size)
    done = np.int64(0)
    while done < size:
        count, skipped = _tile(buffer, index + np.uint64(done), size - done, bits, seed, stream)
        part = decided[done : done + count]
        if dropped >> np.uint64(bits):
            part[:] = 0
        else:
            _decide(buffer.view(np.uint32)[skipped:], np.uint32(dropped), part)
        done += count


@njit
def put_run(x: Any, y: Any, size: Any, decided: Any, factor: Any, shift: Any, like: Any, width: Any) -> None:
    """``size`` elements that lie together, by decisions at an address."""
    whole = size // SPAN * SPAN if fuses(like) else 0
    for i in range(0, whole, SPAN):
        put_decided(x + i * width, y + i * width, like, decided + i, factor, shift)
    for i in range(whole, size, SPAN):
        count = min(SPAN, size - i)
        rest = carray(at(decided + i, np.uint8(0)), count)
        _put_strided(cells(x + i * width, like), 1, cells(y + i * width, like), 1, rest, np.uint8(1), factor, shift)


@njit
def turned(job: Any, like: Any, one: Any, width: Any, moves: Any) -> None:
    """Rows whose last but one dimension is the one that lies together in memory, such as channels-last.

    Neighbours in memory are far apart in the order of the mask: decide a tile in that order, turn it 8 by 8, apply it.
    """
    shift = shift_in(job, like, one, moves)
    rank, split = field(job, RANK), field(job, SPLIT)
    deep, long = field(job, DIMS + 4 * (rank - 2)), field(job, DIMS + 4 * (rank - 1))
    xs, ys = field(job, DIMS + 4 * (rank - 1) + 1), field(job, DIMS + 4 * (rank - 1) + 2)
    ahead, along = field(job, AHEAD), field(job, ALONG)
    wide, tall = (deep + ahead - 1) // ahead, (long + along - 1) // along
    stride = long if tall == 1 else along + 2 * GROUP
    buffer, turned_space = word_buffer(), np.empty(8 * (ahead + 8), np.uint8)
    decided_space = np.empty((ahead + 8) * stride + 3 * GROUP + 64, np.uint8)
    decided, across = address_of(decided_space) + GROUP, address_of(turned_space)
    mine = my_part(job)
    while True:
        chunk, mine = next_chunk(job, mine)
        if chunk < 0:
            hold(turned_space)
            hold(decided_space)
            return
        row, part = chunk // split, chunk % split
        outer, left, top = part // (wide * tall), part // tall % wide * ahead, part % tall * along
        deep_now, long_now = min(ahead, deep - left), min(along, long - top)
        seed, stream, dropped, bits, first, factor = _entry(job, row, one)
        index = first + np.uint64((outer * deep + left) * long + top)
        if tall == 1:  # the whole tile is one range of the mask
            decide_range(buffer, decided, index, deep_now * long, seed, stream, dropped, bits)
        else:
            for d in range(deep_now):
                here = index + np.uint64(d * long)
                decide_range(buffer, decided + d * stride, here, long_now, seed, stream, dropped, bits)
        x = field(job, X) + (row * field(job, ROW_X) + place(job, outer, rank - 2, 1) + left + top * xs) * width
        y = field(job, Y) + (row * field(job, ROW_Y) + place(job, outer, rank - 2, 2) + left + top * ys) * width
        for q in range(0, long_now, 8):
            for p in range(0, deep_now, 8):
                transpose8(decided + p * stride + q, stride, across + p, ahead + 8)
            for r in range(min(8, long_now - q)):
                tx, ty = x + (q + r) * xs * width, y + (q + r) * ys * width
                put_run(tx, ty, deep_now, across + r * (ahead + 8), factor, shift, like, width)
