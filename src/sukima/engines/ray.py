"""The Ray engine: trials spread over a cluster.

Workers are Ray actors with one processor and one thread each. What they need travels once, through Ray's object
store. A node that dies takes nothing with it but the trials that were at work there: they are done again elsewhere.
"""

from __future__ import annotations

import contextlib
import functools
import os
import queue
import socket
import sys
import sysconfig
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar
from urllib.parse import urlsplit

from sukima.base.checks import check_count, check_number
from sukima.base.errors import InputError
from sukima.base.imports import require
from sukima.engines.batch import do_job
from sukima.engines.candidate import Measure
from sukima.engines.choose import framework
from sukima.engines.crew import Crew, Event, Talk
from sukima.engines.engine import Engine
from sukima.engines.progress import Progress
from sukima.records.task import Task

__all__ = ["RayCrew", "RayEngine"]

Job = TypeVar("Job")

_REACH, _NODE_NEWS = 5.0, 3.0
"""Seconds to reach a cluster, and for Ray to notice that a node has died after one of its workers has."""


class RayEngine(Engine):
    """Runs trials on a Ray cluster, with the results of the local engine; see `Engine`.

    The nodes need sukima and the framework; modules of the user's own travel with the task.

    Args:
        task: what candidates are trained on; it must be possible to pickle it.
        progress: told of the work; by default a bar where there is a terminal or a notebook to show it.
        address: of the cluster, as Ray takes it (``HOST:PORT``, ``ray://HOST:PORT``, ``auto``). By default the one
            that this process is connected to, the one that ``RAY_ADDRESS`` names, one that runs on this machine, or
            a new one on this machine.
        workers: how many train at once; by default as many as the cluster has free processors (or, for a task on
            CUDA, GPUs) for.
        cpus: processors for each worker. It uses one thread anyway.
        measure: see `Engine`.

    Raises:
        InputError: no cluster can be reached at the address, or the task cannot be pickled.
        MissingDependencyError: Ray is not installed.
    """

    def __init__(
        self,
        task: Task,
        progress: Progress | None = None,
        *,
        address: str | None = None,
        workers: int | None = None,
        cpus: float = 1.0,
        measure: Measure | None = None,
    ) -> None:
        if workers is not None:
            check_count("workers", workers)
        check_number("cpus", cpus, above=0)
        gpus = 1.0 if task.device.startswith("cuda") else 0.0
        connected = _connect(address)
        try:
            work = _sent(functools.partial(do_job, task, measure), task)
        except InputError:
            if connected:
                require("ray", "ray").shutdown()
            raise
        variables = framework(task).worker_environment()
        crew = RayCrew[Any](work, workers or _room(cpus, gpus), cpus, gpus, connected, variables)
        super().__init__(task, crew, progress, measure)


class _Actor:
    """A worker on the cluster. It is listened to by one call at a time, which gives all that it has said since."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        self.node = ""
        self.heard: Any = handle.node.remote()  # answered when it has begun

    def begun(self, node: str) -> None:
        """It can take jobs."""
        self.node = node

    def give(self, job: Any) -> None:
        self._handle.do.remote(job)
        self.listen()

    def reply(self, answer: Any) -> None:
        self._handle.reply.remote(answer)

    def listen(self) -> None:
        """Ask for what it says next."""
        self.heard = self._handle.heard.remote()

    def end(self) -> None:
        ray = require("ray", "ray")
        if ray.is_initialized():
            with contextlib.suppress(ray.exceptions.RayError):
                ray.kill(self._handle)


class RayCrew(Crew[Job, _Actor]):
    """Does jobs in Ray actors.

    Args:
        work: a reference to what does a job, in the worker.
        most: how many workers there are at once.
        cpus: processors for each.
        gpus: GPUs for each.
        connected: whether the connection to the cluster ends with the crew.
        variables: environment variables of each.
    """

    def __init__(
        self,
        work: Any,
        most: int,
        cpus: float = 1.0,
        gpus: float = 0.0,
        connected: bool = False,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(most)
        self._ray = require("ray", "ray")
        self._work, self._connected = work, connected
        # One thread for the work, one that is listened to, and one for answers.
        self._options: dict[str, Any] = {"max_concurrency": 3, "num_cpus": cpus, "num_gpus": gpus}
        if variables:
            self._options["runtime_env"] = {"env_vars": dict(variables)}
        self._kind = self._ray.remote(_Hand)

    def close(self) -> None:
        """End all workers, whatever they do."""
        super().close()
        if self._connected and self._ray.is_initialized():
            self._connected = False
            self._ray.shutdown()

    def _hire(self, *, extra: bool) -> None:
        options = {**self._options, "num_cpus": 0} if extra else self._options
        self._coming.add(_Actor(self._kind.options(**options).remote(self._work)))

    def _news(self) -> Iterable[tuple[_Actor, Event, Any]]:
        listened = {worker.heard: worker for worker in [*self._coming, *self._busy]}
        ready = self._ray.wait(list(listened), num_returns=1)[0] if listened else []
        for worker in [listened[reference] for reference in ready]:
            try:
                heard = self._ray.get(worker.heard)
            except (self._ray.exceptions.RayActorError, self._ray.exceptions.ObjectLostError) as error:
                yield worker, Event.LOST, self._is_suspect(worker, error)
                continue
            if worker in self._coming:
                worker.begun(heard)
                yield worker, Event.READY, None
                continue
            if heard[-1][0] in (Event.TOLD, Event.ASKED):
                worker.listen()
            for event, message in heard:
                yield worker, event, message

    def _is_suspect(self, worker: _Actor, error: Exception) -> bool:
        """Whether its job may be why a worker has died, and not its node or the way there."""
        if getattr(error, "actor_init_failed", False):
            why = str(error).strip().splitlines()[-1]
            raise InputError("address: workers cannot begin on the cluster ({why})", why=why) from error
        if not worker.node or not isinstance(error, self._ray.exceptions.ActorDiedError):
            return False
        until = time.monotonic() + _NODE_NEWS
        while time.monotonic() < until:
            if all(node["NodeID"] != worker.node for node in self._ray.nodes() if node["Alive"]):
                return False
            time.sleep(0.1)
        return True


class _Hand:
    """What runs on the cluster."""

    def __init__(self, work: Callable[[Any, Talk], None]) -> None:
        self._work = work
        self._said: queue.SimpleQueue[tuple[Event, Any]] = queue.SimpleQueue()
        self._replies: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def node(self) -> str:
        """Where it runs."""
        found: str = require("ray", "ray").get_runtime_context().get_node_id()
        return found

    def do(self, job: Any) -> None:
        """Do a job to its end."""
        try:
            self._work(job, self)
            self._said.put((Event.DONE, None))
        except KeyboardInterrupt:
            self._said.put((Event.INTERRUPTED, None))
        except BaseException:
            self._said.put((Event.FAILED, traceback.format_exc()))

    def heard(self) -> list[tuple[Event, Any]]:
        """What was said since it was last asked; at least one thing."""
        found = [self._said.get()]
        while not self._said.empty():
            found.append(self._said.get())
        return found

    def reply(self, answer: Any) -> None:
        """The answer to its question."""
        self._replies.put(answer)

    def tell(self, *message: Any) -> None:
        """See `Talk`."""
        self._said.put((Event.TOLD, message))

    def ask(self, *message: Any) -> Any:
        """See `Talk`."""
        self._said.put((Event.ASKED, message))
        return self._replies.get()


def _connect(address: str | None) -> bool:
    """Connect to the cluster, if this process is not connected yet; whether it was not."""
    ray = require("ray", "ray")
    if ray.is_initialized():
        return False
    try:
        _reach(address or os.environ.get("RAY_ADDRESS", ""))
        # Ray would show its own messages, and what workers print, amid the progress.
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (OSError, RuntimeError, ValueError) as error:
        raise InputError(
            "address: expected that of a Ray cluster that can be reached, got {address} ({why})",
            address=repr(address),
            why=_line(error),
        ) from error
    return True


def _reach(address: str) -> None:
    """Raise ``OSError`` if nobody listens there; Ray itself would try for minutes, and then end the process."""
    place = urlsplit(address if "://" in address else f"//{address}")
    if place.hostname and place.port:
        socket.create_connection((place.hostname, place.port), timeout=_REACH).close()


def _room(cpus: float, gpus: float) -> int:
    """How many workers there is room for now."""
    free = require("ray", "ray").available_resources()
    room = free.get("CPU", 0) / cpus
    return max(1, int(min(room, free.get("GPU", 0) / gpus) if gpus else room))


def _sent(work: Callable[..., None], task: Task) -> Any:
    """A reference to ``work`` in the object store."""
    ray = require("ray", "ray")
    with _by_value(ray.cloudpickle):
        try:
            return ray.put(work)
        except Exception as error:  # what cannot be pickled raises anything
            name, why = _culprit(ray.cloudpickle, task, error)
            raise InputError(
                "{name}: expected what can be sent to the cluster by pickling, got one that cannot ({why})",
                name=name,
                why=_line(why),
            ) from error


def _culprit(pickle: ModuleType, task: Task, error: Exception) -> tuple[str, Exception]:
    """The argument of the task that cannot be pickled, and why."""
    for field in fields(task):
        try:
            pickle.dumps(getattr(task, field.name))
        except Exception as why:
            return field.name, why
    return "task", error


@contextlib.contextmanager
def _by_value(pickle: ModuleType) -> Iterator[None]:
    """What the user's own modules define is sent whole: other nodes may not have their files."""
    libraries = [Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    libraries.append(Path(__file__).resolve().parents[1])
    taken = []
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(module, ModuleType) and file and module.__name__ != "__main__":
            path = Path(file).resolve()
            if not any(path.is_relative_to(library) for library in libraries):
                pickle.register_pickle_by_value(module)
                taken.append(module)
    try:
        yield
    finally:
        for module in taken:
            pickle.unregister_pickle_by_value(module)


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
