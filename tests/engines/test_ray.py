"""The Ray engine on a cluster of four nodes: the trials of the local engine, also when a node dies."""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sukima.base.errors import InputError
from sukima.engines.local import LocalEngine
from sukima.engines.progress import Silent
from sukima.records.history import History
from sukima.records.recipe import Recipe
from sukima.records.result import Trial
from sukima.records.task import Task
from sukima.workflow.tune import tune

ray = pytest.importorskip("ray", reason="Ray is not installed")

from ray.cluster_utils import Cluster  # noqa: E402

from sukima.engines.ray import RayEngine  # noqa: E402

_STORE = 80 * 2**20
"""Bytes of each node's object store, the least that Ray allows."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "object_store_memory": _STORE})
    for _ in range(4):
        made.add_node(num_cpus=1, object_store_memory=_STORE)
    yield made
    made.shutdown()


class OwnForward(nn.Module):
    """A model that no stack knows, in a module that the nodes cannot import."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.drop, self.last = nn.Linear(6, 12), nn.Dropout(0.2), nn.Linear(12, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.drop(torch.tanh(self.first(x))))


def sequential() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Dropout(0.2), nn.Linear(12, 3))


def task(model: Callable[[], nn.Module], **settings: Any) -> Task:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 6))
    y = (x[:, 0] > 0).astype(int) + (x[:, 1] > 1)
    data = {"train": (x[:60], y[:60]), "validation": (x[60:90], y[60:90]), "test": (x[90:], y[90:])}
    return Task(model=model, metric="accuracy", batch_size=16, **({"epochs": 4} | data | settings))


def timeless(trials: Mapping[Any, Trial]) -> dict[Any, Trial]:
    found = {}
    for key, trial in trials.items():
        history = History(**{name: getattr(trial.history, name) for name in trial.history.__struct_fields__})
        history.seconds = []
        found[key] = replace(trial, history=history)
    return found


def test_trials_are_those_of_the_local_engine(cluster: Any) -> None:
    asked, work = [(Recipe(rates={"2": 0.1 * (seed % 3)}), seed) for seed in range(5)], task(sequential)
    with RayEngine(work, Silent(), address=cluster.address, workers=1) as engine:
        engine.prepare(asked, test=True)
    assert not engine.why_not_stacked
    assert not ray.is_initialized()
    here = LocalEngine(work, Silent(), workers=1)
    here.prepare(asked, test=True)
    assert timeless(engine.trials) == timeless(here.trials)


class Counting(Silent):
    """Counts what it is told, and does something at one moment."""

    def __init__(self, moment: int = 0, act: Callable[[], None] = lambda: None) -> None:
        self.epochs, self.trials, self._moment, self._act = 0, Counter[tuple[str, int, bool]](), moment, act

    def epoch(self, history: History, epochs: int) -> None:
        self.epochs += 1
        if self.epochs == self._moment:
            self._act()

    def trial(self, trial: Trial) -> None:
        self.trials[trial.recipe.to_json(), trial.seed, trial.test is None] += 1


def test_a_study_on_a_cluster_that_loses_a_node_is_that_of_one_machine(cluster: Any) -> None:
    """With rungs, at which all workers wait for each other: those that are left must not be judged by themselves."""

    owner = os.getpid()

    class Slow(OwnForward):
        """Slow enough on the cluster that a node dies while it is trained there."""

        def forward(self, x: Tensor) -> Tensor:
            if self.training and os.getpid() != owner:
                time.sleep(0.01)
            return super().forward(x)

    def search(progress: Counting, **where: Any) -> Any:
        work = task(Slow, epochs=8)
        options: Any = {"strategy": "halving", "trials": 8, "search_seeds": 2, "test_seeds": 2}
        result = tune(work, progress=progress, **options, **where)
        arms = [(arm.name, arm.recipe, [t.history.validation_loss for t in arm.trials]) for arm in result.search]
        assert result.given_up > 0
        assert result.comparison is not None
        return result.recipe, arms, result.given_up, result.comparison.differences, result.cost.trials

    def kill() -> None:
        cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False)

    there, here = Counting(60, kill), Counting()
    found = search(there, engine="ray", address=cluster.address)
    assert len(cluster.worker_nodes) == 3
    assert found == search(here, workers=1)
    assert there.trials == here.trials
    assert set(there.trials.values()) == {1}
    assert there.epochs >= here.epochs  # some were trained again


def test_a_candidate_that_kills_its_worker_has_failed_and_the_others_have_not(cluster: Any) -> None:
    class Deadly(OwnForward):
        def forward(self, x: Tensor) -> Tensor:
            if self.training and self.drop.p > 0.15:
                os._exit(1)
            return super().forward(x)

    with RayEngine(task(Deadly), Silent(), address=cluster.address, workers=1) as engine:
        engine.prepare([(Recipe(rates={"drop": rate}), 0) for rate in (0.1, 0.2)])
    statuses = {trial.recipe.rates["drop"]: trial.history.status for trial in engine.trials.values()}
    assert statuses == {0.1: "finished", 0.2: "failed"}


def test_ctrl_c_ends_the_workers(cluster: Any) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    with RayEngine(task(sequential), Silent(), address=cluster.address, workers=1) as engine:
        engine.on_epoch = stop
        with pytest.raises(KeyboardInterrupt):
            engine.run(Recipe(), [0])
    assert engine.trials == {}
    assert not ray.is_initialized()


def test_what_the_engine_refuses(cluster: Any) -> None:
    def search(**where: Any) -> None:
        tune(where.pop("task", None) or task(sequential), progress=Silent(), **where)

    with pytest.raises(InputError, match="address: expected that of a Ray cluster that can be reached, got '127"):
        search(engine="ray", address="127.0.0.1:9")
    with pytest.raises(InputError, match="address must be left out unless engine is 'ray'"):
        search(address=cluster.address)
    with pytest.raises(InputError, match="engine must be one of"):
        search(engine="spark")
    lock = threading.Lock()

    def locked(outputs: Tensor, targets: Tensor) -> Tensor:
        with lock:
            return nn.functional.cross_entropy(outputs, targets)

    with pytest.raises(InputError, match="loss: expected what can be sent to the cluster by pickling, got one that"):
        search(task=task(sequential, loss=locked), engine="ray", address=cluster.address)
    assert not ray.is_initialized()
