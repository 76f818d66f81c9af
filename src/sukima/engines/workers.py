"""Worker processes: jobs spread over the cores of this machine.

Small networks leave most of a step to overhead that no second thread can share, so a core is used best by a process
of its own with one thread. Workers are forked: whatever a task holds (closures, data) is there without being copied
or pickled. They end with the process that made them, also when it is killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
import traceback
import warnings
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from typing import Any, Generic, Protocol, TypeVar

__all__ = ["Crew", "Owner", "Talk", "can_fork", "cores"]

Job = TypeVar("Job")

_TELL, _ASK, _DONE, _INTERRUPTED, _FAILED = range(5)


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def can_fork() -> bool:
    """Whether processes can be forked safely: on Linux, from the main thread's process, outside a daemon."""
    return sys.platform == "linux" and not multiprocessing.current_process().daemon


class Talk:
    """What a worker says to its owner."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def tell(self, *message: Any) -> None:
        """Say something."""
        self._connection.send((_TELL, message))

    def ask(self, *message: Any) -> Any:
        """Say something and wait for the answer."""
        self._connection.send((_ASK, message))
        return self._connection.recv()


class Owner(Protocol[Job]):
    """Hears what becomes of jobs."""

    def told(self, *message: Any) -> None:
        """A worker tells something."""
        ...

    def asked(self, questions: Mapping[int, Any]) -> Mapping[int, Any]:
        """Every worker at work waits for an answer: number of the job → question; gives the answers."""
        ...

    def lost(self, job: Job) -> Sequence[Job]:
        """The worker of this job was killed; gives the jobs to be done instead."""
        ...


class Crew(Generic[Job]):
    """Does jobs in worker processes, some at a time. The workers stay until `close`: a new one would load everything
    that training needs again.

    Args:
        work: does a job, in the worker; what it refers to is as it was when the worker was made.
        most: how many workers there are at once.
    """

    def __init__(self, work: Callable[[Job, Talk], None], most: int) -> None:
        self._work, self._most = work, most
        self._processes: dict[Connection, ForkProcess] = {}
        self._busy: dict[Connection, tuple[int, Job]] = {}
        self._questions: dict[Connection, Any] = {}

    def run(self, jobs: Sequence[Job], owner: Owner[Job]) -> None:
        """Do them all. Ctrl-C, here or in a worker, raises ``KeyboardInterrupt`` after the workers have ended."""
        waiting, number = deque(jobs), 0
        try:
            while waiting or self._busy:
                while waiting and len(self._busy) < self._most:
                    self._give(waiting.popleft(), number)
                    number += 1
                if self._questions and len(self._questions) == len(self._busy):
                    self._answer(owner)
                for ready in wait([c for c in self._busy if c not in self._questions]):
                    waiting.extend(self._hear(ready, owner))  # type: ignore[arg-type]  # only connections are waited for
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End all workers, whatever they do."""
        for process in self._processes.values():
            process.kill()
        for connection in list(self._processes):
            self._dismiss(connection)

    def _give(self, job: Job, number: int) -> None:
        idle = next((c for c in self._processes if c not in self._busy), None)
        connection = idle or self._start()
        self._busy[connection] = number, job
        try:
            connection.send(job)
        except OSError:  # killed while it was idle
            self._dismiss(connection)
            self._give(job, number)

    def _start(self) -> Connection:
        context = multiprocessing.get_context("fork")
        ours, theirs = context.Pipe()
        process = context.Process(target=_be_worker, args=(self._work, theirs), daemon=True)
        with warnings.catch_warnings():
            # Of threads in the parent: a progress bar has one, and no worker writes to it.
            warnings.simplefilter("ignore", DeprecationWarning)
            process.start()
        theirs.close()  # so that the end of the worker is heard
        self._processes[ours] = process
        return ours

    def _hear(self, connection: Connection, owner: Owner[Job]) -> Sequence[Job]:
        """One message; jobs that must be done because of it."""
        _, job = self._busy[connection]
        try:
            kind, message = connection.recv()
        except (EOFError, ConnectionResetError):
            self._dismiss(connection)
            return owner.lost(job)
        if kind == _TELL:
            owner.told(*message)
        elif kind == _ASK:
            self._questions[connection] = message
        elif kind == _INTERRUPTED:
            raise KeyboardInterrupt
        elif kind == _FAILED:
            raise RuntimeError(f"a worker failed:\n{message}")
        else:
            del self._busy[connection]
        return ()

    def _dismiss(self, connection: Connection) -> None:
        self._processes.pop(connection).join()
        self._busy.pop(connection, None)
        self._questions.pop(connection, None)
        connection.close()

    def _answer(self, owner: Owner[Job]) -> None:
        answers = owner.asked({self._busy[connection][0]: question for connection, question in self._questions.items()})
        for connection in list(self._questions):
            del self._questions[connection]
            with contextlib.suppress(OSError):  # killed meanwhile: it is heard as lost
                connection.send(answers[self._busy[connection][0]])


def _be_worker(work: Callable[[Job, Talk], None], connection: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the owner decides
    _end_with_owner()
    try:
        while True:
            work(connection.recv(), Talk(connection))
            connection.send((_DONE, None))
    except KeyboardInterrupt:
        connection.send((_INTERRUPTED, None))
    except (BrokenPipeError, EOFError):  # the owner is gone
        pass
    except BaseException:
        connection.send((_FAILED, traceback.format_exc()))


_SET_PDEATHSIG = 1


def _end_with_owner() -> None:
    """Ask Linux to kill this process when its parent ends."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == 1:
        os._exit(1)
