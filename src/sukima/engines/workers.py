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
from typing import Any, Generic, TypeVar

__all__ = ["Crew", "Talk", "can_fork", "cores"]

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


class Crew(Generic[Job]):
    """Runs jobs in processes of their own, some at a time."""

    def __init__(
        self,
        work: Callable[[Job, Talk], None],
        *,
        most: int,
        told: Callable[..., None],
        asked: Callable[[Mapping[int, Any]], Mapping[int, Any]],
        lost: Callable[[Job], Sequence[Job]],
    ) -> None:
        """
        Args:
            work: does a job, in the worker.
            most: how many workers there are at once.
            told: hears what workers tell.
            asked: called when every worker waits for an answer: number of the job → question; gives the answers.
            lost: called where a worker was killed; gives the jobs to be done instead.
        """
        self._work, self._most, self._told, self._asked, self._lost = work, most, told, asked, lost
        self._workers: dict[Connection, tuple[ForkProcess, int, Job]] = {}
        self._questions: dict[Connection, Any] = {}

    def run(self, jobs: Sequence[Job]) -> None:
        """Do them all. Ctrl-C, here or in a worker, raises ``KeyboardInterrupt`` after the workers have ended."""
        waiting, number = deque(jobs), 0
        try:
            while waiting or self._workers:
                while waiting and len(self._workers) < self._most:
                    self._start(waiting.popleft(), number)
                    number += 1
                if self._questions and len(self._questions) == len(self._workers):
                    self._answer()
                for ready in wait([c for c in self._workers if c not in self._questions]):
                    waiting.extend(self._hear(ready))  # type: ignore[arg-type]  # only connections are waited for
        finally:
            for process, *_ in self._workers.values():
                process.kill()
            for connection, (process, *_) in self._workers.items():
                process.join()
                connection.close()
            self._workers, self._questions = {}, {}

    def _start(self, job: Job, number: int) -> None:
        context = multiprocessing.get_context("fork")
        ours, theirs = context.Pipe()
        process = context.Process(target=_be_worker, args=(self._work, job, theirs), daemon=True)
        with warnings.catch_warnings():
            # Of threads in the parent: a progress bar has one, and no worker writes to it.
            warnings.simplefilter("ignore", DeprecationWarning)
            process.start()
        theirs.close()  # so that the end of the worker is heard
        self._workers[ours] = process, number, job

    def _hear(self, connection: Connection) -> Sequence[Job]:
        """One message; jobs that must be done because of it."""
        process, _number, job = self._workers[connection]
        try:
            kind, message = connection.recv()
        except (EOFError, ConnectionResetError):
            self._dismiss(connection)
            return self._lost(job)
        if kind == _TELL:
            self._told(*message)
        elif kind == _ASK:
            self._questions[connection] = message
        else:
            process.join()
            self._dismiss(connection)
            if kind == _INTERRUPTED:
                raise KeyboardInterrupt
            if kind == _FAILED:
                raise RuntimeError(f"a worker failed:\n{message}")
        return ()

    def _dismiss(self, connection: Connection) -> None:
        process, *_ = self._workers.pop(connection)
        process.join()
        connection.close()

    def _answer(self) -> None:
        by_number = {self._workers[connection][1]: question for connection, question in self._questions.items()}
        answers = self._asked(by_number)
        for connection in list(self._questions):
            del self._questions[connection]
            with contextlib.suppress(OSError):  # killed meanwhile: it is heard as lost
                connection.send(answers[self._workers[connection][1]])


def _be_worker(work: Callable[[Job, Talk], None], job: Job, connection: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the owner decides
    _end_with_owner()
    try:
        work(job, Talk(connection))
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
