"""A batch: candidates in training, wherever that is, and what becomes of each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sukima.base.messages import say
from sukima.engines.candidate import Candidate, Measure, Terms
from sukima.engines.choose import framework
from sukima.engines.crew import Talk
from sukima.engines.curves import trial_of
from sukima.records.history import History
from sukima.records.result import Trial
from sukima.records.task import Task

if TYPE_CHECKING:
    from sukima.engines.engine import Engine

__all__ = ["Batch", "Job", "Judge", "do_job"]

Judge = Callable[[int, Mapping[int, History]], Collection[int]]
"""From a rung's epoch and the histories that came so far, by the candidates' places, to those that are given up."""

Group = Mapping[int, Candidate]


@dataclass(frozen=True)
class Job:
    """What a worker trains: candidates by their numbers, in groups that may be stacks."""

    groups: Sequence[Group]
    terms: Terms


def do_job(task: Task, measure: Measure | None, job: Job, talk: Talk) -> None:
    """Train in a worker."""
    framework(task).train(task, job.groups, _Sender(talk), job.terms, measure)


class Batch:
    """Candidates by their numbers; it hears of their training from workers or, as a `Listener`, from this process."""

    def __init__(self, engine: Engine, candidates: Group, terms: Terms, judge: Judge | None) -> None:
        self._engine, self._candidates, self._terms, self._judge = engine, candidates, terms, judge
        self._ended: set[int] = set()

    def train_there(self, groups: Sequence[Group]) -> None:
        """By the engine's workers."""
        jobs: list[Sequence[Group]] = [[group] for group in groups]
        if self._terms.rungs:  # all at once, since they are compared on the way
            count = min(self._engine.workers, len(groups))
            jobs = [groups[first::count] for first in range(count)]
        together = bool(self._terms.rungs)
        self._engine.crew.run([Job(job, self._terms) for job in jobs], self, together=together)

    def train_here(self, groups: Sequence[Group]) -> None:
        """In this process."""
        engine = self._engine
        framework(engine.task).train(engine.task, groups, self, self._terms, engine.measure)

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
        self._engine.remember(trial, test=self._terms.test)
        self._engine.on_trial(trial, self._terms.test)
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
        """See `Owner`: one judgement for all workers at the same rung. Those that began later, in place of one that
        was lost, are at a lower one; the others wait for them, so that a rung is judged with all who come to it."""
        lowest = min(epoch for epoch, _ in questions.values())
        here = {number: part for number, (epoch, part) in questions.items() if epoch == lowest}
        gone = self.judge(lowest, {n: history for part in here.values() for n, history in part.items()})
        return dict.fromkeys(here, gone)

    def lost(self, job: Job, *, suspect: bool) -> list[Job]:
        """See `Owner`: what is left of the job; if it is suspect each candidate by itself, and one that was by itself
        has failed."""
        groups = [{n: c for n, c in group.items() if n not in self._ended} for group in job.groups]
        left = {number: candidate for group in groups for number, candidate in group.items()}
        if left and not suspect:
            return [replace(job, groups=[group for group in groups if group])]
        if len(left) > 1:
            return [replace(job, groups=[{number: candidate}]) for number, candidate in left.items()]
        for number, (recipe, seed) in left.items():
            note = str(say("its process was killed, perhaps for want of memory"))
            self.trial(number, trial_of(recipe, seed, History(status="failed", note=note)))
        return []


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
