"""The study: candidates and what became of them, kept as an Optuna study.

Any Optuna storage will do, and Optuna's own tools read it. Every run is written down as soon as it has ended, with the
candidate that it belongs to, so that a study that was killed goes on where it was. Only this process writes; several
processes may share a study, and each works on candidates of its own.
"""

from __future__ import annotations

import contextlib
import json
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from sukima.base.errors import InputError
from sukima.base.imports import require
from sukima.records.result import Trial
from sukima.records.saved import trial_from_record, trial_record
from sukima.tuning.distributions import decode, distribution, encode
from sukima.tuning.owner import is_alive, this_process
from sukima.tuning.space import Point, Space
from sukima.tuning.storage import open_storage, shown_storage

if TYPE_CHECKING:
    import optuna

__all__ = ["Entry", "State", "Study", "StudyPausedError"]

State = Literal["waiting", "complete", "pruned", "failed"]

_OWNER, _SEEN, _RUN, _NOTE = "owner", "seen", "run", "note"
_NEWS = 30.0
"""Seconds after which a process says that it is alive."""


class StudyPausedError(InputError):
    """The storage cannot be written any more. What was written before is whole: the same command goes on with it."""


@dataclass
class Entry:
    """A candidate of a study.

    Attributes:
        number: its number in the study.
        point: where it lies in the space.
        state: ``waiting`` until it has ended.
        value: what the search goes by, averaged over seeds; of a ``pruned`` one, when it was given up.
        reports: epoch → value, as far as it was reported.
    """

    number: int
    point: Point
    state: State = "waiting"
    value: float | None = None
    reports: dict[int, float] = field(default_factory=dict)


class Study:
    """An Optuna study with sukima's view of it.

    Args:
        storage: an Optuna storage or its URL (``sqlite:///sukima.db``), or ``journal:FILE`` for Optuna's journal;
            ``None`` keeps it in memory.
        name: the study's name there; one that exists already is gone on with.
        space: where its candidates lie.
        increases: whether larger values are better.
        about: what readers should know of it.

    Raises:
        InputError: the storage cannot be opened, or holds another kind of study under that name.
    """

    def __init__(
        self, storage: Any, name: str, space: Space, *, increases: bool, about: Mapping[str, Any] | None = None
    ) -> None:
        self._optuna = require("optuna", "torch")
        self._optuna.logging.set_verbosity(self._optuna.logging.WARNING)
        self.space, self.name, self._shown = space, name, shown_storage(storage)
        direction = "maximize" if increases else "minimize"
        try:
            with _quiet():
                self._study: optuna.Study = self._optuna.create_study(
                    storage=open_storage(storage), study_name=name, direction=direction, load_if_exists=True
                )
            if (found := self._study.direction.name.lower()) != direction:
                raise InputError(
                    "study {name}: expected one to {direction}, got one to {found}",
                    name=repr(name),
                    direction=direction,
                    found=found,
                )
            for key, value in (about or {}).items():
                self._study.set_user_attr(key, value)
        except InputError:
            raise
        except Exception as error:  # each kind of storage has errors of its own
            raise InputError(
                "storage: expected one that can be written, got {storage} ({why})",
                storage=self._shown,
                why=_line(error),
            ) from error
        self._owner = this_process()
        self._open: dict[int, optuna.Trial] = {}
        self._news = 0.0

    @property
    def location(self) -> str:
        """Where it is kept, as a URL; empty if in memory."""
        return self._shown

    def settled(self, name: str, choose: Callable[[], int]) -> int:
        """A number that is chosen once and holds wherever the study goes on."""
        with self._written():
            known = self._study.user_attrs.get(name)
        if known is None:
            known = choose()
            with self._written():
                self._study.set_user_attr(name, known)
        return int(known)

    def entries(self) -> list[Entry]:
        """All candidates by number."""
        return [self._entry(trial) for trial in self._trials()]

    def _trials(self) -> list[optuna.trial.FrozenTrial]:
        with self._written():
            return [t for t in self._study.get_trials(deepcopy=False) if self._is_ours(t)]

    def _is_ours(self, trial: optuna.trial.FrozenTrial) -> bool:
        return set(self.space.names) >= trial.params.keys() and bool(trial.params)

    def _entry(self, trial: optuna.trial.FrozenTrial) -> Entry:
        states: dict[str, State] = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}
        point = {name: decode(self.space[name], value) for name, value in trial.params.items()}
        return Entry(
            trial.number,
            point,
            states.get(trial.state.name, "waiting"),
            trial.value,
            {epoch: float(value) for epoch, value in trial.intermediate_values.items()},
        )

    def add(self, point: Point) -> Entry:
        """A new candidate, to be worked on here."""
        with self._written(), _quiet():
            template = self._optuna.trial.create_trial(
                state=self._optuna.trial.TrialState.RUNNING,
                params={name: encode(self.space[name], value) for name, value in point.items()},
                distributions={name: distribution(self.space[name]) for name in point},
                user_attrs={_OWNER: self._owner, _SEEN: time.time()},
            )
            # In one transaction: a process that is killed here leaves a whole candidate or none.
            known = self._study._storage.create_new_trial(self._study._study_id, template_trial=template)
            trial = self._optuna.trial.Trial(self._study, known)
        self._open[trial.number] = trial
        return Entry(trial.number, dict(point))

    def take(self, entry: Entry) -> bool:
        """Whether a waiting candidate is worked on here: it was before, or nobody else is alive to do so."""
        if entry.number in self._open:
            return True
        trial = self._frozen(entry.number)
        if is_alive(trial.user_attrs.get(_OWNER, ""), trial.user_attrs.get(_SEEN, 0.0)):
            return False
        with self._written():
            own = self._optuna.trial.Trial(self._study, trial._trial_id)
            own.set_user_attr(_SEEN, time.time())
            own.set_user_attr(_OWNER, self._owner)
            self._open[entry.number] = own
        return entry.number in self._open

    def release(self) -> None:
        """Leave what is not finished to whoever goes on with the study."""
        for number in list(self._open):
            with contextlib.suppress(StudyPausedError), self._written():
                self._open.pop(number).set_user_attr(_OWNER, "")

    def news(self) -> None:
        """Let others know, now and then, that the candidates at work here are not forgotten."""
        now = time.time()
        if now - self._news > _NEWS:
            self._news = now
            for trial in self._open.values():
                with self._written():
                    trial.set_user_attr(_SEEN, now)

    def report(self, number: int, epoch: int, value: float) -> None:
        """The value of a candidate after an epoch."""
        with self._written(), _quiet():  # of one that is trained again
            self._open[number].report(value, epoch)

    def tell(self, number: int, state: State, value: float | None = None, note: str = "") -> None:
        """A candidate has ended."""
        states = self._optuna.trial.TrialState
        chosen = {"complete": states.COMPLETE, "pruned": states.PRUNED, "failed": states.FAIL}[state]
        trial = self._open.pop(number)
        with self._written():
            if note:
                trial.set_user_attr(_NOTE, note)
            known = [] if value is None or state != "complete" else [value]
            self._study.tell(trial, known or None, chosen, skip_if_finished=True)

    def save_run(self, number: int, run: Trial, *, test: bool) -> None:
        """Write down a run of a candidate."""
        record = json.dumps(trial_record(run))
        with self._written():
            if number in self._open and not test:
                self._open[number].set_user_attr(f"{_RUN} {run.seed}", record)
            else:  # what belongs to a candidate that has ended cannot be written there any more
                self._study.set_user_attr(f"{number} {'test' if test else _RUN} {run.seed}", record)

    def runs(self) -> Iterator[tuple[int, Trial, bool]]:
        """All runs that were written down: candidate, trial, and whether it measured the test data."""
        for trial in self._trials():
            for key, record in trial.user_attrs.items():
                if key.startswith(f"{_RUN} "):
                    yield trial.number, trial_from_record(json.loads(record)), False
        with self._written():
            attributes = self._study.user_attrs
        for key, record in attributes.items():
            number, _, rest = key.partition(" ")
            if number.isdigit() and rest.partition(" ")[0] in (_RUN, "test"):
                yield int(number), trial_from_record(json.loads(record)), rest.startswith("test")

    def _frozen(self, number: int) -> optuna.trial.FrozenTrial:
        return next(trial for trial in self._trials() if trial.number == number)

    @contextlib.contextmanager
    def _written(self) -> Iterator[None]:
        """Storage errors in one line; what a process has finished that thought this one dead stays as it is."""
        try:
            yield
        except InputError:
            raise
        except self._optuna.exceptions.UpdateFinishedTrialError:
            pass
        except (self._optuna.exceptions.StorageInternalError, OSError) as error:
            raise StudyPausedError(
                "storage: {storage} cannot be used any more ({why}); the study is paused, and goes on when the same "
                "command is run again",
                storage=self._shown,
                why=_line(error),
            ) from error


def _line(error: Exception) -> str:
    cause = error.__cause__ or error
    return (str(cause).splitlines() or [type(cause).__name__])[0]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Optuna's, of features that it calls experimental
        yield
