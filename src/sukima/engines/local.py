"""The local engine: trials on this machine, stacked where the model allows it, on all cores."""

from __future__ import annotations

import functools
import math
import time
import weakref
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import nn

from sukima.base.messages import say
from sukima.engines.choose import framework_of
from sukima.engines.progress import Progress, Silent, default_progress
from sukima.engines.stacked.fit import may_stack
from sukima.engines.torch.candidates import Candidate, Measure, train_candidates
from sukima.engines.torch.run import trial_of
from sukima.engines.workers import Crew, Talk, can_fork, cores
from sukima.records.history import History
from sukima.records.recipe import Recipe
from sukima.records.result import Cost, Trial
from sukima.records.task import Task

__all__ = ["Judge", "LocalEngine"]

_MOST = 24
"""Members of a stack; more save little, and an interruption loses what is in the stack at work."""

Judge = Callable[[int, Mapping[int, History]], Collection[int]]
"""From a rung's epoch and the histories that came so far, by the candidates' places, to those that are given up."""

Key = tuple[str, int, bool]


class LocalEngine:
    """Runs trials and remembers them: the same recipe and seed are trained once.

    Several are trained as one model where that is possible, and spread over worker processes, with the same results as
    one after another. A candidate that raises, or whose process is killed for want of memory, is a ``failed`` trial.

    Ctrl-C raises ``KeyboardInterrupt``; trials that were at work are discarded, those before stay in `trials`.

    Attributes:
        trials: what is known.
        why_not_stacked: why candidates are trained one after another; empty where they are not.
        on_trial: called with each trial that has ended, and whether it measured the test data.
        on_epoch: called after each epoch; what it raises ends the work.
        measure: what is measured on each model that was trained, for its trial's effects, where it was trained. What
            it depends on must not change later: workers have it as it was when they were made.
    """

    def __init__(
        self,
        task: Task,
        progress: Progress | None = None,
        *,
        workers: int | None = None,
        measure: Measure | None = None,
    ) -> None:
        self.task, self.trials = task, dict[Key, Trial]()
        self.progress = progress or default_progress()
        self.why_not_stacked = ""
        self.on_trial: Callable[[Trial, bool], None] = lambda _trial, _test: None
        self.on_epoch: Callable[[], None] = lambda: None
        self.framework = framework_of(task)
        # TensorFlow and JAX do not survive a fork.
        alone = self.framework == "keras" or torch.device(task.device).type != "cpu" or not can_fork()
        self._workers = 1 if alone else workers or cores()
        self.crew = Crew(functools.partial(_train_there, task, measure), self._workers)
        weakref.finalize(self, self.crew.close)
        self.measure = measure
        self._started = time.perf_counter()

    def stage(self, name: str, trials: int) -> None:
        """A part of the work begins that takes about ``trials`` trials."""
        self.progress.stage(name, trials)

    def run(self, recipe: Recipe, seeds: Sequence[int], *, test: bool = False) -> tuple[Trial, ...]:
        """The trials of ``recipe``, one a seed, in their order; with ``test`` they measure the test data too."""
        self.prepare([(recipe, seed) for seed in seeds], test=test)
        return tuple(self.trials[_key((recipe, seed), test)] for seed in seeds)

    def known(self, candidate: Candidate, *, test: bool = False) -> Trial | None:
        """Its trial, if it was trained to its end."""
        trial = self.trials.get(_key(candidate, test))
        return None if trial is None or trial.history.status == "pruned" else trial

    def prepare(
        self,
        candidates: Iterable[Candidate],
        *,
        test: bool = False,
        rungs: Collection[int] = (),
        judge: Judge | None = None,
    ) -> None:
        """Train those of the candidates that are not known yet.

        With ``rungs``, all go side by side, and after each of these epochs ``judge`` says which are given up.
        """
        waiting: dict[int, Candidate] = {}
        keys = set[Key]()
        for place, candidate in enumerate(candidates):
            if (key := _key(candidate, test)) not in keys and self.known(candidate, test=test) is None:
                keys.add(key)
                waiting[place] = candidate
        if waiting:
            _Batch(self, waiting, test, rungs, judge).train()

    def remember(self, trial: Trial, *, test: bool) -> None:
        """Take a trial that is known from elsewhere."""
        self.trials[_key((trial.recipe, trial.seed), test)] = trial

    def groups(self, candidates: Mapping[int, Candidate]) -> list[dict[int, Candidate]]:
        """The candidates in groups that may be stacks, as even as the number of workers suggests."""
        alike: list[dict[int, Candidate]] = []
        for number, candidate in candidates.items():
            group = next((g for g in alike if may_stack(next(iter(g.values()))[0], candidate[0])), None)
            if group is None or self.why_not_stacked:
                alike.append({number: candidate})
            else:
                group[number] = candidate
        return [part for group in alike for part in self._parts(group)]

    def _parts(self, group: dict[int, Candidate]) -> list[dict[int, Candidate]]:
        rounds = math.ceil(len(group) / (self._workers * _MOST))
        count = min(len(group), rounds * self._workers)
        numbers = list(group)
        return [{n: group[n] for n in numbers[first::count]} for first in range(count)]

    @property
    def workers(self) -> int:
        """How many processes train at once."""
        return self._workers

    def cost(self) -> Cost:
        """What was spent so far."""
        epochs = sum(trial.history.epochs for trial in self.trials.values())
        return Cost(
            seconds=time.perf_counter() - self._started,
            trials=len(self.trials),
            epochs=epochs,
            full_trainings=round(epochs / self.task.epochs, 2),
        )


def _key(candidate: Candidate, test: bool = False) -> Key:
    recipe, seed = candidate
    return recipe.to_json(), seed, test


class _Batch:
    """Candidates in training, by their numbers."""

    def __init__(
        self,
        engine: LocalEngine,
        candidates: Mapping[int, Candidate],
        test: bool,
        rungs: Collection[int],
        judge: Judge | None,
    ) -> None:
        self._engine, self._candidates, self._test = engine, candidates, test
        self._rungs, self._judge = rungs if judge is not None else (), judge
        self._ended: set[int] = set()

    def train(self) -> None:
        if self._engine.framework == "keras":
            self._train_keras()
            return
        groups = self._engine.groups(self._candidates)
        if self._engine.workers == 1 or len(groups) == 1:
            self._train_here(groups)
            return
        jobs = [[group] for group in groups]
        if self._rungs:  # all at once, since they are compared on the way
            count = min(self._engine.workers, len(groups))
            jobs = [groups[first::count] for first in range(count)]
        _load_what_training_needs()
        self._engine.crew.run([_Job(job, self._test, self._rungs) for job in jobs], self)

    def _train_keras(self) -> None:
        from sukima.engines.keras.candidates import train_candidates as train_keras

        engine = self._engine
        train_keras(engine.task, [self._candidates], self, test=self._test, rungs=self._rungs, measure=engine.measure)

    def _train_here(self, groups: list[dict[int, Candidate]]) -> None:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # as in a worker: the same bits wherever a candidate is trained
        try:
            train_candidates(
                self._engine.task, groups, self, test=self._test, rungs=self._rungs, measure=self._engine.measure
            )
        finally:
            torch.set_num_threads(threads)

    def told(self, what: str, *message: object) -> None:
        """See `Owner`: what workers tell is what a listener is told."""
        getattr(self, what)(*message)

    def epoch(self, number: int, history: History) -> None:
        """See `Listener`."""
        self._engine.progress.epoch(history, self._engine.task.epochs)
        self._engine.on_epoch()

    def trial(self, number: int, trial: Trial) -> None:
        """See `Listener`."""
        self._ended.add(number)
        trial = replace(trial, recipe=self._candidates[number][0])  # ours, not the copy that a worker sent
        self._engine.remember(trial, test=self._test)
        self._engine.on_trial(trial, self._test)
        self._engine.progress.trial(trial)

    def alone(self, reason: str) -> None:
        """See `Listener`."""
        if not self._engine.why_not_stacked:
            self._engine.progress.note(say("Candidates are trained one by one, not as a stack: {why}.", why=reason))
        self._engine.why_not_stacked = reason

    def judge(self, epoch: int, histories: Mapping[int, History]) -> Collection[int]:
        """See `Listener`."""
        assert self._judge is not None
        return self._judge(epoch, histories)

    def asked(self, questions: Mapping[int, tuple[int, Mapping[int, History]]]) -> Mapping[int, Collection[int]]:
        """See `Owner`: one judgement for all workers at the same rung; one that began later may be behind."""
        gone: set[int] = set()
        for epoch in sorted({epoch for epoch, _ in questions.values()}):
            parts = [part for at, part in questions.values() if at == epoch]
            gone.update(self.judge(epoch, {n: history for part in parts for n, history in part.items()}))
        return dict.fromkeys(questions, gone)

    def lost(self, job: _Job) -> list[_Job]:
        """See `Owner`: what is left of the job, each by itself; a candidate that was by itself has failed."""
        left = {n: candidate for group in job.groups for n, candidate in group.items() if n not in self._ended}
        if len(left) > 1:
            return [replace(job, groups=[{number: candidate}]) for number, candidate in left.items()]
        for number, (recipe, seed) in left.items():
            note = str(say("its process was killed, perhaps for want of memory"))
            self.trial(number, trial_of(recipe, seed, History(status="failed", note=note)))
        return []


@functools.cache
def _load_what_training_needs() -> None:
    """Libraries import much of themselves when first used: once here, and not in every worker again."""
    tiny = Task(
        model=lambda: nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Dropout(0.5), nn.Linear(2, 2)),
        train=(torch.zeros(4, 2), torch.zeros(4, dtype=torch.long)),
        validation=(torch.zeros(4, 2), torch.zeros(4, dtype=torch.long)),
        epochs=1,
    )
    engine = LocalEngine(tiny, Silent(), workers=1)
    engine.prepare([(Recipe(), 0), (Recipe(), 1)])


@dataclass(frozen=True)
class _Job:
    """What a worker trains."""

    groups: list[dict[int, Candidate]]
    test: bool
    rungs: Collection[int]


def _train_there(task: Task, measure: Measure | None, job: _Job, talk: Talk) -> None:
    torch.set_num_threads(1)
    train_candidates(task, job.groups, _Sender(talk), test=job.test, rungs=job.rungs, measure=measure)


class _Sender:
    """Tells the owner what a worker's candidates do."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk

    def epoch(self, number: int, history: History) -> None:
        self._talk.tell("epoch", number, history)

    def trial(self, number: int, trial: Trial) -> None:
        self._talk.tell("trial", number, trial)

    def alone(self, reason: str) -> None:
        self._talk.tell("alone", reason)

    def judge(self, epoch: int, histories: Mapping[int, History]) -> Collection[int]:
        gone: Collection[int] = self._talk.ask(epoch, histories)
        return gone
