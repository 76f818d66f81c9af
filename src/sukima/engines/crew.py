"""A crew: jobs that workers do at the same time, whatever the workers are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, Generic, Protocol, TypeVar

__all__ = ["Crew", "Event", "Owner", "Talk", "Worker"]

Job = TypeVar("Job")
Hand = TypeVar("Hand", bound="Worker")


class Event(Enum):
    """What is heard of a worker: that it can begin, what becomes of its job, or that it is no more."""

    READY, TOLD, ASKED, DONE, INTERRUPTED, FAILED, LOST = range(7)


class Talk(Protocol):
    """What a worker says to its owner."""

    def tell(self, *message: Any) -> None:
        """Say something."""
        ...

    def ask(self, *message: Any) -> Any:
        """Say something and wait for the answer."""
        ...


class Owner(Protocol[Job]):
    """Hears what becomes of jobs."""

    def told(self, *message: Any) -> None:
        """A worker tells something."""
        ...

    def asked(self, questions: Mapping[int, Any]) -> Mapping[int, Any]:
        """Every worker at work waits for an answer: number of the job → question. Gives at least one answer; the
        others wait until all who were answered have come to their next question or their end."""
        ...

    def lost(self, job: Job, *, suspect: bool) -> Sequence[Job]:
        """The worker of this job was killed; gives the jobs to be done instead. The job is ``suspect`` unless it is
        known that something else was the reason."""
        ...


class Worker(Protocol):
    """Does one job at a time."""

    def give(self, job: Any) -> None:
        """Begin a job; if the worker is gone, this is heard of later."""
        ...

    def reply(self, answer: Any) -> None:
        """Answer its question; if the worker is gone, this is heard of later."""
        ...

    def end(self) -> None:
        """End it, whatever it does."""
        ...


class Crew(ABC, Generic[Job, Hand]):
    """Does jobs by workers, some at a time. The workers stay until `close`: a new one would load everything that
    training needs again.

    Args:
        most: how many workers there are at once.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._coming: set[Hand] = set()
        self._idle: list[Hand] = []
        self._busy: dict[Hand, tuple[int, Job]] = {}
        self._questions: dict[Hand, Any] = {}

    def run(self, jobs: Sequence[Job], owner: Owner[Job], *, together: bool = False) -> None:
        """Do them all. Ctrl-C, here or in a worker, raises ``KeyboardInterrupt`` after the workers have ended.

        Jobs that are done ``together`` ask questions on the way, and none is answered before all have begun.
        """
        waiting, number, lost = deque(jobs), 0, False
        try:
            while waiting or self._busy:
                stuck = bool(self._busy) and len(self._questions) == len(self._busy)
                # Those that wait for an answer use no processor, so that one more worker than usual does no harm.
                self._staff(len(waiting), extra=together and stuck and (lost or not self._coming))
                while waiting and self._idle:
                    number += 1
                    self._give(self._idle.pop(), number, waiting.popleft())
                    stuck = False
                if stuck and not (together and waiting):
                    self._answer(owner)
                for worker, event, message in self._news():
                    lost = lost or event is Event.LOST
                    waiting.extend(self._heard(worker, event, message, owner))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End all workers, whatever they do."""
        for worker in [*self._coming, *self._idle, *self._busy]:
            worker.end()
        self._coming, self._idle, self._busy, self._questions = set(), [], {}, {}

    @abstractmethod
    def _hire(self, *, extra: bool) -> None:
        """One more worker, `_idle` or, if it takes time, `_coming`; an ``extra`` one must come at once."""

    @abstractmethod
    def _news(self) -> Iterable[tuple[Hand, Event, Any]]:
        """Wait until something is heard of workers; nothing if there is none to wait for."""

    def _staff(self, jobs: int, *, extra: bool) -> None:
        free = self.most - len(self._busy) - len(self._idle)
        for _ in range(min(jobs - len(self._idle), free) - len(self._coming)):
            self._hire(extra=False)
        if extra and jobs and not self._idle:
            self._hire(extra=True)

    def _give(self, worker: Hand, number: int, job: Job) -> None:
        self._busy[worker] = number, job
        worker.give(job)

    def _heard(self, worker: Hand, event: Event, message: Any, owner: Owner[Job]) -> Sequence[Job]:
        """What one event brings; jobs that must be done because of it."""
        match event:
            case Event.READY:
                self._coming.discard(worker)
                self._idle.append(worker)
            case Event.TOLD:
                owner.told(*message)
            case Event.ASKED:
                self._questions[worker] = message
            case Event.DONE:
                del self._busy[worker]
                self._idle.append(worker)
            case Event.INTERRUPTED:
                raise KeyboardInterrupt
            case Event.FAILED:
                raise RuntimeError(f"a worker failed:\n{message}")
            case Event.LOST:
                return self._lose(worker, owner, suspect=message)
        return ()

    def _lose(self, worker: Hand, owner: Owner[Job], *, suspect: bool) -> Sequence[Job]:
        worker.end()
        self._questions.pop(worker, None)
        self._coming.discard(worker)
        if worker in self._idle:
            self._idle.remove(worker)
        _, job = self._busy.pop(worker, (0, None))
        return () if job is None else owner.lost(job, suspect=suspect)

    def _answer(self, owner: Owner[Job]) -> None:
        asking = {self._busy[worker][0]: worker for worker in self._questions}
        answers = owner.asked({number: self._questions[worker] for number, worker in asking.items()})
        for number, answer in answers.items():
            del self._questions[asking[number]]
            asking[number].reply(answer)
