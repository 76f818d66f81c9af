"""Workers: as many as were asked for, kept from one run of jobs to the next."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from sukima.engines.crew import Talk
from sukima.engines.workers import ForkedCrew, can_fork


class Listener:
    def __init__(self) -> None:
        self.heard: list[tuple[int, int]] = []

    def told(self, *message: Any) -> None:
        self.heard.append(message)  # type: ignore[arg-type]  # what `work` tells

    def asked(self, questions: Mapping[int, Any]) -> Mapping[int, Any]:
        raise AssertionError(questions)

    def lost(self, job: int, *, suspect: bool) -> Sequence[int]:
        raise AssertionError(job)


def work(job: int, talk: Talk) -> None:
    talk.tell(job, os.getpid())


@pytest.mark.skipif(not can_fork(), reason="processes cannot be forked here")
@pytest.mark.parametrize("most", [1, 2, 3])
def test_never_more_than_asked_for(most: int) -> None:
    crew, owner = ForkedCrew[int](work, most), Listener()
    try:
        for jobs in (range(2), range(2, 12), range(12, 13), range(13, 20)):
            crew.run(list(jobs), owner)
    finally:
        crew.close()
    assert sorted(job for job, _ in owner.heard) == list(range(20))
    assert len({process for _, process in owner.heard}) <= most
