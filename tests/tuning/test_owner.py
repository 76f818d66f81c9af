"""Who works on a candidate of a study that several processes and machines share."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from sukima.records.history import History
from sukima.records.result import Score, Trial
from sukima.records.site import Site
from sukima.tuning.owner import is_alive, this_process
from sukima.tuning.space import Space
from sukima.tuning.study import Study

SPACE = Space.of([Site(name="a"), Site(name="b")])


def opened(path: Path) -> Study:
    return Study(f"sqlite:///{path / 'study.db'}", "shared", SPACE, increases=False)


class Elsewhere:
    """This process as seen from another machine, after a while."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def takes(self, study: Study, number: int, after: float = 0.0) -> bool:
        now = time.time() + after
        with self._monkeypatch.context() as patch:
            patch.setattr("sukima.tuning.owner.socket.gethostname", lambda: "elsewhere")
            patch.setattr("sukima.tuning.owner.time.time", lambda: now)
            return study.take(study.entries()[number])


def test_another_machine_leaves_what_is_worked_on_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there, elsewhere = opened(tmp_path), opened(tmp_path), Elsewhere(monkeypatch)
    for number in range(3):  # the second is added when news has just been told
        here.add(SPACE.usual())
        assert not elsewhere.takes(there, number)
        assert not elsewhere.takes(there, number, after=500)
        here.news()
    assert elsewhere.takes(there, 0, after=700)
    here.release()
    assert elsewhere.takes(there, 1)


def test_what_another_machine_has_taken_is_left_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = opened(tmp_path)
    here.add(SPACE.usual())
    here.release()
    with monkeypatch.context() as patch:
        patch.setattr("sukima.tuning.study.this_process", lambda: "elsewhere 1 1")
        there = opened(tmp_path)
        assert there.take(there.entries()[0])
    assert not opened(tmp_path).take(here.entries()[0])
    there.release()
    assert opened(tmp_path).take(here.entries()[0])


def test_a_process_that_was_thought_dead_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there, elsewhere = opened(tmp_path), opened(tmp_path), Elsewhere(monkeypatch)
    entry = here.add(SPACE.usual())
    assert elsewhere.takes(there, 0, after=700)
    run = Trial(SPACE.recipe(entry.point), 0, History(), 1, Score(0.5), Score(0.5))
    for study in (there, here):
        study.report(0, 1, 0.6)
        study.news()
        study.save_run(0, run, test=False)
        study.tell(0, "complete", 0.5)
        study.release()
    (ended,) = here.entries()
    assert (ended.state, ended.value, ended.reports) == ("complete", 0.5, {1: 0.6})
    assert {number for number, _, _ in here.runs()} == {0}


def test_a_process_of_this_machine_is_dead_as_soon_as_it_has_ended() -> None:
    code = (
        "import sys; from sukima.tuning.owner import this_process; print(this_process(), flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        name = other.stdout.readline().rstrip("\n")
        assert is_alive(name, 0.0)
        other.communicate("\n")
    assert not is_alive(name, time.time())
    assert is_alive(this_process(), 0.0)
    assert not is_alive("", time.time())
