"""Searches that are stopped at any moment go on to the same end, and nothing is trained twice."""

import json
import multiprocessing
import os
import random
import resource
import signal
import sqlite3
import threading
import time
import urllib.request
import wsgiref.simple_server
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
import torch
from torch import nn

import sukima
from sukima.base.errors import InputError
from sukima.engines.progress import Silent
from sukima.engines.workers import can_fork
from sukima.records.result import TuneResult
from sukima.records.site import Site
from sukima.tuning.space import Space
from sukima.tuning.study import Study, StudyPausedError
from sukima.workflow.tune import tune

SPACE = Space.of([Site(name="1"), Site(name="3")])


def task(**changes: Any) -> sukima.Task:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(150, 6)).astype("float32")
    y = (x[:, 0] + x[:, 1] > 0).astype(int)
    settings = {
        "model": lambda: nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 2)),
        "train": (x[:60], y[:60]),
        "validation": (x[60:100], y[60:100]),
        "test": (x[100:], y[100:]),
        "metric": "accuracy",
        "epochs": 8,
        "learning_rate": 0.01,
    }
    return sukima.Task(**(settings | changes))


def tuned(storage: Any = None, **options: Any) -> TuneResult:
    usual = {"strategy": "halving", "trials": 10, "search_seeds": 2, "test_seeds": 2, "workers": 1}
    return tune(options.pop("task", None) or task(), storage=storage, progress=Silent(), **(usual | options))


def essence(result: TuneResult) -> Any:
    """What must not depend on interruptions: everything but the time."""
    arms = [(arm.name, arm.recipe, [t.history.validation_loss for t in arm.trials]) for arm in result.search]
    compared = [
        (arm.name, arm.recipe, [t.test for t in arm.trials])
        for part in (result.finalists, result.comparison)
        if part is not None
        for arm in part.arms
    ]
    return result.recipe, arms, compared, result.given_up, result.failed, result.importance, result.flat


def url(path: Path) -> str:
    return f"sqlite:///{path / 'study.db'}"


@pytest.mark.parametrize("strategy", ["ladder", "grid", "random", "tpe", "gp", "halving"])
def test_a_finished_study_is_read_and_not_trained_again(strategy: str, tmp_path: Path) -> None:
    first = tuned(url(tmp_path), strategy=strategy)
    assert first.complete
    assert first.study[0] == url(tmp_path)
    calls = []

    def model() -> nn.Module:
        calls.append(1)
        return task().model()

    study = first.study[1]
    again = tuned(url(tmp_path), strategy=strategy, study=study, task=task(model=model))
    assert essence(again) == essence(first)
    assert len(calls) < 6  # to look at the model; every trial would make one
    if strategy not in ("ladder", "grid"):
        kept = optuna.load_study(study_name=study, storage=url(tmp_path))
        assert len(kept.trials) == 10
        states = {trial.state.name for trial in kept.trials}
        assert states == ({"COMPLETE", "PRUNED"} if strategy == "halving" else {"COMPLETE"})


@pytest.mark.parametrize("strategy", ["ladder", "tpe", "halving"])
@pytest.mark.parametrize("after", [30, 150, 400])
def test_ctrl_c_and_again_ends_as_if_nothing_had_happened(strategy: str, after: int, tmp_path: Path) -> None:
    left = after

    def loss(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        nonlocal left
        left -= 1
        if left == 0:
            raise KeyboardInterrupt
        return nn.functional.cross_entropy(outputs, targets)

    first = tuned(url(tmp_path), strategy=strategy, study="s", task=task(loss=loss))
    assert not first.complete
    second = tuned(url(tmp_path), strategy=strategy, study="s", task=task(loss=loss))
    whole = tuned(strategy=strategy, task=task(loss=loss))
    assert second.complete
    assert essence(second) == essence(whole)


def _run(path: str) -> None:
    torch.set_num_threads(1)
    tuned(path, study="s", workers=2, task=task(epochs=20))


def _started(path: Path) -> multiprocessing.process.BaseProcess:
    path.mkdir(exist_ok=True)
    process = multiprocessing.get_context("fork").Process(target=_run, args=(url(path),), daemon=False)
    process.start()
    return process


def _killed(path: Path, rng: random.Random, took: float) -> list[int]:
    """Kill a study at random moments until it ends by itself: how many candidates had finished at each."""
    finished: list[int] = []
    for _ in range(40):
        process = _started(path)
        process.join(rng.uniform(0.05, took))
        if process.exitcode is not None:
            assert process.exitcode == 0
            break
        process.kill()
        process.join()
        finished.append(_finished(path))
    assert finished == sorted(finished)  # nothing that was finished is lost
    return finished


@pytest.mark.skipif(not can_fork(), reason="processes cannot be forked here")
def test_killed_at_random_moments(tmp_path: Path) -> None:
    rng, kills = random.Random(0), list[int]()
    whole = tuned(task=task(epochs=20))
    began = time.perf_counter()
    process = _started(tmp_path / "whole")
    process.join()
    assert process.exitcode == 0
    took = time.perf_counter() - began
    for number in range(11):
        path = tmp_path / str(number)
        kills += _killed(path, rng, took)
        result = tuned(url(path), study="s", task=task(epochs=20))
        assert essence(result) == essence(whole)
        kept = optuna.load_study(study_name="s", storage=url(path))
        assert len(kept.trials) == 10
        assert all(trial.state.is_finished() for trial in kept.trials)
        if len(kills) >= 3 and any(kills):
            break
    assert len(kills) >= 3
    assert any(kills), "every kill was before anything had finished"


def _finished(path: Path) -> int:
    if not (path / "study.db").exists():
        return 0
    try:
        with sqlite3.connect(path / "study.db") as database:
            count: int = database.execute(
                "select count(*) from trials where state in ('COMPLETE', 'PRUNED')"
            ).fetchone()[0]
    except sqlite3.OperationalError:  # killed before there were tables
        return 0
    return count


@pytest.fixture(params=["journal", "postgresql"])
def other_storage(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A storage that is not SQLite."""
    if request.param == "journal":
        return f"journal:{tmp_path / 'study.log'}"
    server: str = request.getfixturevalue("postgresql")
    return server


def test_other_storages_go_on_as_well(other_storage: str) -> None:
    left = 150

    def loss(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        nonlocal left
        left -= 1
        if left == 0:
            raise KeyboardInterrupt
        return nn.functional.cross_entropy(outputs, targets)

    assert not tuned(other_storage, study="s", task=task(loss=loss)).complete
    result = tuned(other_storage, study="s", task=task(loss=loss))
    assert result.complete
    assert result.study == (other_storage, "s")
    assert essence(result) == essence(tuned(task=task(loss=loss)))
    assert essence(tuned(other_storage, study="s", task=task(loss=loss))) == essence(result)


def test_several_processes_share_a_server(postgresql: str) -> None:
    _share_between_two(postgresql)


def test_the_dashboard_shows_a_study(tmp_path: Path) -> None:
    dashboard = pytest.importorskip("optuna_dashboard", reason="optuna-dashboard is not installed")
    tuned(url(tmp_path), study="s", trials=4)
    app = dashboard.wsgi(optuna.storages.RDBStorage(url(tmp_path)))
    with wsgiref.simple_server.make_server("127.0.0.1", 0, app, handler_class=_Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        answers = {}
        for path in ("studies", "studies/1"):
            with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/api/{path}", timeout=20) as answer:
                answers[path] = json.load(answer)
        server.shutdown()
    summary = answers["studies"]["study_summaries"][0]
    assert summary["study_name"] == "s"
    assert len(answers["studies/1"]["trials"]) == 4


class _Quiet(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


def test_several_processes_share_a_study(tmp_path: Path) -> None:
    _share_between_two(url(tmp_path))


def _share_between_two(storage: str) -> None:
    Study(storage, "shared", SPACE, increases=False)
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_share, args=(storage,)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
        assert process.exitcode == 0
    kept = optuna.load_study(study_name="shared", storage=storage)
    assert all(trial.state.name == "COMPLETE" for trial in kept.trials)
    assert 10 <= len(kept.trials) <= 32  # apart they would have 40; both may propose at the same moment
    owners = {trial.user_attrs["owner"] for trial in kept.trials}
    assert len(owners) == 2


def _share(path: str) -> None:
    torch.set_num_threads(1)
    assert tuned(path, study="shared", strategy="random", trials=20, task=task(epochs=30)).complete


def test_what_a_storage_refuses(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="storage: expected one that can be written, got sqlite:////nowhere"):
        tuned("sqlite:////nowhere/at/all.db")
    with pytest.raises(InputError, match="storage: expected one"):
        tuned("not a storage")
    (tmp_path / "study.db").write_text("something else")
    with pytest.raises(InputError, match="storage: expected one"):
        tuned(url(tmp_path))
    Study(url(tmp_path / ".."), "s", SPACE, increases=True)
    with pytest.raises(InputError, match="expected one to minimize, got one to maximize"):
        Study(url(tmp_path / ".."), "s", SPACE, increases=False)


def _fills(path: str, limit: int) -> None:
    """A study on a disk that is full after ``limit`` bytes more."""
    torch.set_num_threads(1)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # so that a write beyond it is an error, as on a full disk
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        tuned(path, study="s")
    except StudyPausedError:
        os._exit(3)
    except InputError:
        os._exit(2)


@pytest.mark.skipif(not can_fork(), reason="processes cannot be forked here")
@pytest.mark.parametrize("limit", [1_000, 400_000])
@pytest.mark.parametrize("kind", ["sqlite", "journal"])
def test_a_full_disk_is_said_and_the_study_goes_on_later(kind: str, limit: int, tmp_path: Path) -> None:
    path = url(tmp_path) if kind == "sqlite" else f"journal:{tmp_path / 'study.log'}"
    if kind == "journal":
        limit //= 10  # it takes less
    process = multiprocessing.get_context("fork").Process(target=_fills, args=(path, limit))
    process.start()
    process.join(60)
    # Before training where there is no room to begin with; paused where it was used up on the way.
    assert process.exitcode in ((2, 3) if limit <= 1_000 else (3,))
    result = tuned(path, study="s")
    assert result.complete
    assert essence(result) == essence(tuned())


@pytest.mark.parametrize("kind", ["sqlite", "journal"])
def test_a_storage_that_is_read_only(kind: str, tmp_path: Path) -> None:
    """Root may write anywhere, so that this is done by another user where the tests run as root."""
    path = url(tmp_path) if kind == "sqlite" else f"journal:{tmp_path / 'study.log'}"
    Study(path, "s", SPACE, increases=False)
    for file in tmp_path.iterdir():
        file.chmod(0o444)
    for folder in [tmp_path, *tmp_path.parents]:
        if folder.stat().st_uid == os.geteuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o555)
    tmp_path.chmod(0o555)
    process = multiprocessing.get_context("fork").Process(target=_refused, args=(path,))
    process.start()
    process.join(60)
    tmp_path.chmod(0o755)
    assert process.exitcode == 2


def _refused(path: str) -> None:
    torch.set_num_threads(1)  # threads of a process do not live on in one forked from it
    if os.geteuid() == 0:
        os.setuid(65534)
    try:
        tuned(path, study="s")
    except InputError as error:
        os._exit(2 if str(error).startswith("storage: ") and "\n" not in str(error) else 4)


def test_a_password_is_not_shown() -> None:
    with pytest.raises(InputError) as refused:
        tuned("postgresql://me:secret@127.0.0.1:1/x")
    assert "secret" not in str(refused.value)
    assert "me@127.0.0.1" in str(refused.value)


def test_a_candidate_that_fails_is_recorded_and_the_study_goes_on(tmp_path: Path) -> None:
    def loss(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        value = nn.functional.cross_entropy(outputs, targets)
        if outputs.requires_grad and outputs.ndim == 2 and float(model_rate[0]) > 0.6:
            raise RuntimeError("too much")
        return value

    model_rate = [0.0]

    class Watched(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.drop, self.last = nn.Linear(6, 8), nn.Dropout(0.1), nn.Linear(8, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            model_rate[0] = self.drop.p
            return self.last(self.drop(torch.relu(self.first(x))))

    result = tuned(url(tmp_path), strategy="grid", trials=8, task=task(model=Watched, loss=loss))
    assert result.complete
    assert result.failed > 0
    kept = optuna.load_study(study_name=result.study[1], storage=url(tmp_path))
    notes = [trial.user_attrs["note"] for trial in kept.trials if trial.state.name == "FAIL"]
    assert notes
    assert all("too much" in note for note in notes)


def test_a_task_that_cannot_be_trained_at_all_is_an_error() -> None:
    def loss(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        if outputs.requires_grad:
            raise RuntimeError("a bug of mine")
        return nn.functional.cross_entropy(outputs, targets)

    with pytest.raises(InputError, match=r"the task cannot be trained: RuntimeError: a bug of mine \(test_study.py"):
        tuned(task=task(loss=loss))


class Clock:
    """Goes on a little whenever it is read."""

    now = 0.0

    def perf_counter(self) -> float:
        self.now += 0.04
        return self.now


@pytest.mark.parametrize("budget", ["40s", "80s"])
def test_a_budget_is_kept(budget: str, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr("sukima.tuning.deadline.time", clock)
    result = tuned(strategy="random", trials=None, budget=budget)
    assert clock.now <= 1.1 * float(budget[:-1])
    assert result.complete
    assert result.finalists is not None
    assert result.comparison is not None
    assert len(result.search) > 5


def test_a_budget_is_a_time() -> None:
    for wrong in ("soon", 0, -1, "0s", "1 day", float("nan"), True):
        with pytest.raises(InputError, match="budget must be a time above 0"):
            tuned(budget=wrong)
