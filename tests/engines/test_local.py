"""The local engine: the same trials however they are spread, and nothing lost when some fail."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sukima.engines.candidate import Candidate
from sukima.engines.local import LocalEngine
from sukima.engines.progress import Silent
from sukima.engines.torch.fit import fit
from sukima.engines.workers import can_fork
from sukima.records.history import History
from sukima.records.recipe import Recipe
from sukima.records.result import Trial
from sukima.records.task import Task

WORKERS = [1, pytest.param(2, marks=pytest.mark.skipif(not can_fork(), reason="processes cannot be forked here"))]


class OwnForward(nn.Module):
    """A model that no stack knows."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.drop, self.last = nn.Linear(6, 12), nn.Dropout(0.2), nn.Linear(12, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.drop(torch.tanh(self.first(x))))


def sequential() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Dropout(0.2), nn.Linear(12, 3))


MODELS = {"stacked": (sequential, "2"), "alone": (OwnForward, "drop")}


def task(model: Callable[[], nn.Module], **settings: Any) -> Task:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 6))
    y = (x[:, 0] > 0).astype(int) + (x[:, 1] > 1)
    data = {"train": (x[:60], y[:60]), "validation": (x[60:90], y[60:90]), "test": (x[90:], y[90:])}
    return Task(model=model, metric="accuracy", batch_size=16, **({"epochs": 4} | data | settings))


def candidates(site: str, count: int = 5) -> list[Candidate]:
    return [(Recipe(rates={site: 0.1 * (number % 3)}), number) for number in range(count)]


def timeless(trial: Trial) -> Trial:
    history = History(**{name: getattr(trial.history, name) for name in trial.history.__struct_fields__})
    history.seconds = []
    return replace(trial, history=history)


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("workers", WORKERS)
def test_trials_are_those_of_fit(kind: str, workers: int) -> None:
    model, site = MODELS[kind]
    work, engine = task(model), LocalEngine(task(model), Silent(), workers=workers)
    asked = candidates(site)
    engine.prepare(asked, test=True)
    assert bool(engine.why_not_stacked) == (kind == "alone")
    for recipe, seed in asked:
        (found,) = engine.run(recipe, [seed], test=True)
        assert timeless(found) == timeless(fit(work, recipe, seed, test=True, progress=Silent()).trial)
    assert engine.cost().trials == len(asked)


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("workers", WORKERS)
def test_what_is_given_up_keeps_its_epochs_and_the_others_are_not_touched(kind: str, workers: int) -> None:
    model, site = MODELS[kind]
    work, asked = task(model, epochs=6), candidates(site, 6)
    seen: list[tuple[int, int]] = []

    def judge(epoch: int, histories: Mapping[int, History]) -> Collection[int]:
        assert all(history.epochs == epoch for history in histories.values())
        seen.append((epoch, len(histories)))
        ranked = sorted(histories, key=lambda place: histories[place].validation_loss[-1])
        return ranked[len(ranked) // 2 :]

    engine = LocalEngine(work, Silent(), workers=workers)
    engine.prepare(asked, rungs=(2, 4), judge=judge)
    assert seen == [(2, 6), (4, 3)]
    by_status = [trial.history.status for trial in engine.trials.values()]
    assert sorted(by_status) == ["finished"] + ["pruned"] * 5
    for (recipe, seed), trial in zip(asked, map(engine.trials.get, [_key(c) for c in asked]), strict=True):
        assert trial is not None
        whole = fit(work, recipe, seed, progress=Silent()).trial.history
        epochs = trial.history.epochs
        assert trial.history.validation_loss == whole.validation_loss[:epochs]
        assert (epochs == 6) == (trial.history.status == "finished")


def _key(candidate: Candidate) -> tuple[str, int, bool]:
    return candidate[0].to_json(), candidate[1], False


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("workers", WORKERS)
def test_a_candidate_that_raises_is_recorded_and_the_others_go_on(kind: str, workers: int) -> None:
    model, site = MODELS[kind]

    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        value = nn.functional.cross_entropy(outputs, targets)
        if outputs.requires_grad and torch.initial_seed() == bad:
            raise RuntimeError("no memory left")
        return value

    from sukima.engines.seeds import derive_seed

    bad = derive_seed(3, "masks")
    engine = LocalEngine(task(model, loss=loss), Silent(), workers=workers)
    engine.prepare(candidates(site))
    statuses = {trial.seed: trial.history.status for trial in engine.trials.values()}
    if kind == "alone":  # a stack has no seed of its own, so that nothing fails in it
        assert statuses.pop(3) == "failed"
        failed = next(trial for trial in engine.trials.values() if trial.seed == 3)
        assert "no memory left" in failed.history.note
        assert "test_local.py" in failed.history.note
        assert failed.validation.loss == float("inf")
    assert set(statuses.values()) == {"finished"}


def test_a_stack_that_raises_is_trained_one_by_one() -> None:
    calls = 0

    class Fragile(nn.ReLU):
        def forward(self, x: Tensor) -> Tensor:
            nonlocal calls
            calls += 1
            if calls == 20 and len(x) > 16:
                raise RuntimeError("too large")
            return super().forward(x)

    work = task(lambda: nn.Sequential(nn.Linear(6, 12), Fragile(), nn.Dropout(0.1), nn.Linear(12, 3)))
    engine = LocalEngine(work, Silent(), workers=1)
    engine.prepare(candidates("2", 3))
    assert [trial.history.status for trial in engine.trials.values()] == ["finished"] * 3


@pytest.mark.skipif(not can_fork(), reason="processes cannot be forked here")
def test_a_worker_that_is_killed_takes_nothing_with_it() -> None:
    owner = os.getpid()

    class Deadly(OwnForward):
        def forward(self, x: Tensor) -> Tensor:
            if self.training and os.getpid() != owner and self.drop.p > 0.15:
                os.kill(os.getpid(), signal.SIGKILL)
            return super().forward(x)

    engine = LocalEngine(task(Deadly), Silent(), workers=2)
    engine.prepare(candidates("drop"))
    statuses = [trial.history.status for trial in engine.trials.values() if trial.recipe.rates["drop"] > 0.15]
    assert statuses == ["failed"]
    assert len(engine.trials) == 5
    assert sum(trial.history.status == "finished" for trial in engine.trials.values()) == 4


@pytest.mark.parametrize("workers", WORKERS)
def test_ctrl_c_in_a_trial_ends_the_work_and_keeps_what_was_done(workers: int) -> None:
    class Interrupted(OwnForward):
        def forward(self, x: Tensor) -> Tensor:
            if self.training and self.drop.p > 0.15:
                raise KeyboardInterrupt
            return super().forward(x)

    engine = LocalEngine(task(Interrupted), Silent(), workers=workers)
    with pytest.raises(KeyboardInterrupt):
        engine.prepare([*candidates("drop", 2), (Recipe(rates={"drop": 0.5}), 9)])
    assert all(trial.history.status == "finished" for trial in engine.trials.values())


def test_a_worker_without_memory_fails_that_candidate_alone() -> None:
    """Its address space is limited to what it has, and one model asks for far more."""
    if not can_fork():
        pytest.skip("processes cannot be forked here")
    program = """
import resource
from sukima import Recipe
from sukima.engines.local import LocalEngine
from sukima.engines.progress import Silent
import numpy as np, torch
from torch import nn
from sukima import Task

torch.set_num_threads(1)
x = np.random.default_rng(0).normal(size=(60, 6)); y = (x[:, 0] > 0).astype(int)

def model(width=12):
    return nn.Sequential(nn.Linear(6, width), nn.ReLU(), nn.Dropout(0.2), nn.Linear(width, 2))

task = Task(model=model, train=(x[:40], y[:40]), validation=(x[40:], y[40:]), epochs=2)
with open("/proc/self/statm") as file:
    used = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (1 << 30), used + (1 << 30)))
candidates = [(Recipe(), 0), (Recipe(options={"width": 100_000_000}), 0), (Recipe(), 1)]
with LocalEngine(task, Silent(), workers=2) as engine:
    engine.prepare(candidates)
    print([engine.known(each).history.status for each in candidates])
    print(engine.known(candidates[1]).history.note)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=False)
    statuses, note = done.stdout.splitlines()[:2]
    assert statuses == "['finished', 'failed', 'finished']", done.stderr
    assert "memory" in note


@pytest.mark.parametrize("workers", WORKERS)
def test_a_factory_that_raises_fails_each_candidate_and_nothing_else(workers: int) -> None:
    def no_weights() -> nn.Module:
        raise OSError("no weights")

    rows = np.zeros((8, 2), "float32"), np.zeros(8, int)
    with LocalEngine(Task(model=no_weights, train=rows, validation=rows), Silent(), workers=workers) as engine:
        engine.get_ready()
        engine.prepare([(Recipe(weight_decay=0.1 * seed), seed) for seed in range(3)])
        assert [trial.history.status for trial in engine.trials.values()] == ["failed"] * 3


def test_kernels_are_ready_before_anything_is_timed() -> None:
    """In a process of its own, where nothing was trained before; torch's compiler is not loaded for it."""
    code = """
import sys
from sukima.engines.choose import framework
from sukima.engines.stacked import gemm, pooling, steps
from sukima.engines.torch import updates
from sukima.records.task import Task
import torch
from torch import nn
rows = torch.zeros(4, 2), torch.zeros(4, dtype=torch.long)
for layer in (nn.ReLU, nn.Tanh):
    before = torch.get_rng_state()
    task = Task(model=lambda: nn.Sequential(nn.Linear(2, 2), layer(), nn.Linear(2, 2)), train=rows, validation=rows)
    framework(task).get_ready(task)
    assert torch.equal(before, torch.get_rng_state())
    assert bool(steps.train_kernel.cache_info().currsize) == bool(gemm.routine())
assert updates.step_kernel.cache_info().currsize
images = torch.zeros(4, 1, 4, 4), torch.zeros(4, dtype=torch.long)
def cnn():
    return nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 2))
framework(task).get_ready(Task(model=cnn, train=images, validation=images))
assert pooling._kernels.cache_info().currsize
assert "torch._dynamo" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=300)
