"""How threads share a job: every chunk is done once, whichever threads come, and each thread begins with its own."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sukima.masks.shares import CHUNKS, PARTS, my_part, next_chunk, room


@settings(deadline=None)  # the first call compiles
@given(st.integers(0, 60), st.integers(1, 9), st.lists(st.integers(0, 8), max_size=80), st.data())
def test_every_chunk_is_given_once(chunks: int, parts: int, turns: list[int], data: st.DataObject) -> None:
    job = np.zeros(room(parts), np.int64)
    job[CHUNKS], job[PARTS] = chunks, parts
    come = data.draw(st.integers(1, parts))  # a runtime may give fewer threads than it was asked for
    now = {thread: my_part(job.ctypes.data) for thread in range(come)}
    given_out = []
    for turn in [*turns, *(list(range(come)) * (chunks + 1))]:
        thread = turn % come
        chunk, now[thread] = next_chunk(job.ctypes.data, now[thread])
        if chunk >= 0:
            given_out.append(chunk)
    assert sorted(given_out) == list(range(chunks))


@settings(deadline=None)
@given(st.integers(1, 60), st.integers(1, 9))
def test_a_thread_begins_with_chunks_that_lie_together(chunks: int, parts: int) -> None:
    job = np.zeros(room(parts), np.int64)
    job[CHUNKS], job[PARTS] = chunks, parts
    last = parts - 1
    taken = [next_chunk(job.ctypes.data, last) for _ in range(chunks)]
    assert [chunk for chunk, part in taken if part == last] == list(range(chunks * last // parts, chunks))
