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
from collections.abc import Callable, Iterable
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from typing import Any, TypeVar

from sukima.engines.crew import Crew, Event, Talk

__all__ = ["ForkedCrew", "can_fork", "cores"]

Job = TypeVar("Job")
Work = Callable[[Job, Talk], None]


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def can_fork() -> bool:
    """Whether processes can be forked safely: on Linux, from the main thread's process, outside a daemon."""
    return sys.platform == "linux" and not multiprocessing.current_process().daemon


class _Forked:
    """A worker process and the way to it."""

    def __init__(self, work: Callable[[Any, Talk], None]) -> None:
        context = multiprocessing.get_context("fork")
        self.connection, theirs = context.Pipe()
        self._process: ForkProcess = context.Process(target=_be_worker, args=(work, theirs), daemon=True)
        with warnings.catch_warnings():
            # Of threads in the parent: a progress bar has one, and no worker writes to it.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._process.start()
        theirs.close()  # so that the end of the worker is heard
        self.began = True

    def give(self, job: Any) -> None:
        try:
            self.connection.send(job)
        except OSError:  # killed while it was idle
            self.began = False

    def reply(self, answer: Any) -> None:
        with contextlib.suppress(OSError):  # killed meanwhile: it is heard as lost
            self.connection.send(answer)

    def end(self) -> None:
        self._process.kill()
        self._process.join()
        self.connection.close()


class ForkedCrew(Crew[Job, _Forked]):
    """Does jobs in forked processes.

    Args:
        work: does a job, in the worker; what it refers to is as it was when the worker was made.
        most: how many workers there are at once.
    """

    def __init__(self, work: Work[Job], most: int) -> None:
        super().__init__(most)
        self._work = work

    def _hire(self, *, extra: bool) -> None:
        self._idle.append(_Forked(self._work))

    def _news(self) -> Iterable[tuple[_Forked, Event, Any]]:
        listened = {worker.connection: worker for worker in self._busy}
        for ready in wait(list(listened)):
            worker = listened[ready]  # type: ignore[index]  # only connections are waited for
            try:
                event, message = worker.connection.recv()
            except (EOFError, ConnectionResetError):
                event, message = Event.LOST, worker.began
            yield worker, event, message


class _Pipe:
    """See `Talk`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def tell(self, *message: Any) -> None:
        self._connection.send((Event.TOLD, message))

    def ask(self, *message: Any) -> Any:
        self._connection.send((Event.ASKED, message))
        return self._connection.recv()


def _be_worker(work: Work[Any], connection: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the owner decides
    _end_with_owner()
    try:
        while True:
            work(connection.recv(), _Pipe(connection))
            connection.send((Event.DONE, None))
    except KeyboardInterrupt:
        connection.send((Event.INTERRUPTED, None))
    except (BrokenPipeError, EOFError):  # the owner is gone
        pass
    except BaseException:
        connection.send((Event.FAILED, traceback.format_exc()))


_SET_PDEATHSIG = 1


def _end_with_owner() -> None:
    """Ask Linux to kill this process when its parent ends."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == 1:
        os._exit(1)
