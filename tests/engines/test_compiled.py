"""The compiled steps of linear chains: which chains have them, and that they change no bit."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from sukima.engines.candidate import Terms
from sukima.engines.progress import Silent
from sukima.engines.stacked import compiled, gemm
from sukima.engines.stacked.fit import Stack, fit_stack
from sukima.engines.torch.candidates import train_candidates
from sukima.engines.torch.data import TaskData
from sukima.engines.torch.fit import fit
from sukima.engines.torch.run import Run
from sukima.records.history import History
from sukima.records.penalty import GroupLasso
from sukima.records.recipe import Recipe
from sukima.records.result import Trial
from sukima.records.task import Task

needs_routine = pytest.mark.skipif(not gemm.routine(), reason="torch has no sgemm_ here")


def task(model: Callable[[], nn.Module], width: int, classes: int, **given: object) -> Task:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(70, width)), rng.integers(classes, size=70)
    data = {"train": (x[:53], y[:53]), "validation": (x[53:], y[53:])}
    return Task(model=model, **({"epochs": 2, "batch_size": 16, "learning_rate": 0.01} | data | given))


def chain(*widths: int, last: Callable[[], nn.Module] = nn.Identity) -> nn.Sequential:
    """Linear layers with ReLU and dropout between them, and one more layer before the output."""
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(widths[:-1]):
        layers += [nn.Linear(fan_in, fan_out), nn.ReLU(), nn.Dropout(0.2)]
    return nn.Sequential(*layers, last(), nn.Linear(widths[-2], widths[-1]))


def is_compiled(work: Task, recipe: Recipe = Recipe(), members: int = 2) -> bool:  # noqa: B008  # which is frozen
    data = TaskData(work)
    stack = Stack([Run(work, recipe, seed, data) for seed in range(members)], Silent())
    return all(each.pays_alone for each in stack._chains)


@needs_routine
@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (nn.Identity, True),
        (nn.ReLU, True),
        (nn.Dropout, True),
        (nn.Tanh, False),
        (nn.LeakyReLU, False),
        (lambda: nn.BatchNorm1d(12), False),
    ],
)
def test_chains_of_known_layers_are_compiled(last: Callable[[], nn.Module], expected: bool) -> None:
    assert is_compiled(task(lambda: chain(9, 12, 4, last=last), 9, 4)) is expected


def in_two_parts() -> nn.Module:
    return nn.Sequential(nn.Linear(9, 12), nn.ReLU(), nn.Unflatten(1, (3, 4)), nn.Linear(4, 2), nn.Flatten())


def rectified_at_once() -> nn.Module:
    return nn.Sequential(nn.Dropout(0.1), nn.ReLU(), nn.Linear(9, 6))


def of_single_steps() -> nn.Module:
    return nn.Sequential(nn.Unflatten(1, (1, 9)), nn.Linear(9, 6), nn.Flatten())


@needs_routine
@pytest.mark.parametrize("model", [in_two_parts, rectified_at_once, of_single_steps])
def test_shapes_between_layers_and_the_data_are_respected(model: Callable[[], nn.Module]) -> None:
    """Layers that see something else than rows; and no layer works in place on the data."""
    work = task(model, 9, 6)
    before = work.validation[0].copy()
    stacked = fit_stack(work, [(Recipe(), 0), (Recipe(), 1)], test=False, progress=Silent())
    alone = [fit(work, Recipe(), seed, progress=Silent()).trial for seed in (0, 1)]
    assert [a.history.validation_loss for a in stacked] == [b.history.validation_loss for b in alone]
    assert [a.history.train_loss for a in stacked] == [b.history.train_loss for b in alone]
    np.testing.assert_array_equal(work.validation[0], before)


@needs_routine
def test_outputs_of_other_shapes_are_not_compiled() -> None:
    rows = np.random.default_rng(0).normal(size=(70, 9))
    parts = {
        "train": (rows[:53], rows[:53, :6].reshape(53, 2, 3)),
        "validation": (rows[53:], rows[53:, :6].reshape(-1, 2, 3)),
    }
    work = task(lambda: nn.Sequential(nn.Linear(9, 6), nn.Unflatten(1, (2, 3))), 9, 2, loss="mse", **parts)
    assert not is_compiled(work)
    assert all(
        t.history.status == "finished"
        for t in fit_stack(work, [(Recipe(), 0), (Recipe(), 1)], test=False, progress=Silent())
    )


@needs_routine
def test_penalties_that_torch_must_differentiate_are_not_compiled() -> None:
    work = task(lambda: chain(9, 12, 4), 9, 4)
    assert not is_compiled(work, Recipe(penalties={"0": GroupLasso(1e-3)}))


@needs_routine
@pytest.mark.parametrize(("loss", "expected"), [("mse", True), ("huber", False)])
def test_squares_are_compiled_and_other_losses_of_numbers_are_not(loss: str, expected: bool) -> None:
    rows = np.random.default_rng(0).normal(size=(70, 9))
    parts = {"train": (rows[:53], rows[:53, 0]), "validation": (rows[53:], rows[53:, 0])}
    assert is_compiled(task(lambda: chain(9, 12, 1), 9, 2, loss=loss, **parts)) is expected


def test_where_the_products_differ_the_layers_are_called(monkeypatch: pytest.MonkeyPatch) -> None:
    work = task(lambda: chain(9, 12, 4), 9, 4)
    with_steps = fit_stack(work, [(Recipe(), 0), (Recipe(), 1)], test=False, progress=Silent())
    monkeypatch.setattr(compiled, "_agrees", lambda *_: False)
    assert not is_compiled(work)
    without = fit_stack(work, [(Recipe(), 0), (Recipe(), 1)], test=False, progress=Silent())
    assert [one.history.train_loss for one in with_steps] == [one.history.train_loss for one in without]


@needs_routine
@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 300), fan_in=st.integers(1, 80), fan_out=st.integers(1, 140), bias=st.booleans(),
    threads=st.integers(1, 2),
)  # fmt: skip
def test_products_and_sums_have_the_bits_of_torch(
    rows: int, fan_in: int, fan_out: int, bias: bool, threads: int
) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        assert compiled._agrees(rows, fan_in, fan_out, bias, threads)
    finally:
        torch.set_num_threads(before)


@needs_routine
@settings(max_examples=12, deadline=None)
@given(
    widths=st.lists(st.integers(1, 70), min_size=1, max_size=4),
    classes=st.integers(2, 12),
    batch=st.integers(2, 40),
    rates=st.lists(st.sampled_from([0.0, 0.1, 0.5, 0.9]), min_size=1, max_size=3),
    optimizer=st.sampled_from(["adam", "sgd", "rmsprop"]),
    smoothing=st.sampled_from([0.0, 0.2]),
)
def test_any_chain_has_the_history_that_its_layers_have(
    widths: list[int], classes: int, batch: int, rates: list[float], optimizer: str, smoothing: float
) -> None:
    work = task(lambda: chain(*widths, 20, classes), widths[0], classes, batch_size=batch, optimizer=optimizer)
    candidates = [(Recipe(rates={"*": rate}, label_smoothing=smoothing), seed) for seed, rate in enumerate(rates)]
    assert is_compiled(work)
    stacked = fit_stack(work, candidates, test=False, progress=Silent())
    for trial, (recipe, seed) in zip(stacked, candidates, strict=True):
        alone = fit(work, recipe, seed, progress=Silent()).trial
        assert trial.history.train_loss == alone.history.train_loss
        assert trial.history.validation_loss == alone.history.validation_loss


class Heard:
    """What a listener was told."""

    def __init__(self) -> None:
        self.trials: list[Trial] = []
        self.reasons: list[str] = []

    def epoch(self, number: int, history: History) -> None: ...

    def trial(self, number: int, trial: Trial) -> None:
        self.trials.append(trial)

    def alone(self, reason: str) -> None:
        self.reasons.append(reason)

    def judge(self, epoch: int, histories: object) -> list[int]:
        raise AssertionError("there are no rungs")


@pytest.mark.parametrize("last", [nn.Identity, nn.Tanh])
def test_a_single_candidate_has_the_same_history_with_compiled_steps_and_without(last: Callable[[], nn.Module]) -> None:
    work, heard = task(lambda: chain(9, 12, 4, last=last), 9, 4), Heard()
    train_candidates(work, [{5: (Recipe(rates={"*": 0.3}), 2)}], heard, Terms())
    (trial,) = heard.trials
    assert trial.history.train_loss == fit(work, trial.recipe, 2, progress=Silent()).trial.history.train_loss
    assert not heard.reasons
