"""The local engine: trials on this machine, stacked where the model allows it, on all cores."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

from sukima.engines.batch import Batch, do_job
from sukima.engines.candidate import Candidate, Measure
from sukima.engines.choose import framework
from sukima.engines.engine import Engine
from sukima.engines.progress import Progress
from sukima.engines.workers import ForkedCrew, can_fork, cores
from sukima.records.task import Task

__all__ = ["LocalEngine"]


class LocalEngine(Engine):
    """Runs trials in processes of this machine; see `Engine`.

    Args:
        task: what candidates are trained on.
        progress: told of the work; by default a bar where there is a terminal or a notebook to show it.
        workers: processes that train at once; by default one for each core, where processes can be forked.
        measure: see `Engine`.
    """

    def __init__(
        self,
        task: Task,
        progress: Progress | None = None,
        *,
        workers: int | None = None,
        measure: Measure | None = None,
    ) -> None:
        self._is_ready = False
        most = (workers or cores()) if can_fork() and framework(task).survives_fork(task) else 1
        super().__init__(task, ForkedCrew(functools.partial(do_job, task, measure), most), progress, measure)

    def get_ready(self) -> None:
        """See `Engine`."""
        if not self._is_ready:
            framework(self.task).get_ready(self.task)
            self._is_ready = True

    def _train(self, batch: Batch, groups: Sequence[Mapping[int, Candidate]]) -> None:
        if self.workers == 1 or len(groups) == 1:
            batch.train_here(groups)
        else:
            self.get_ready()  # once here, and not in every worker
            batch.train_there(groups)
