"""Where nobody judges training curves, they are of a sample of the rows; nothing else changes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from sukima.engines.local import LocalEngine
from sukima.engines.progress import Silent
from sukima.engines.torch.data import TaskData, open_data
from sukima.engines.torch.fit import fit
from sukima.records.recipe import Recipe
from sukima.records.task import Task
from sukima.workflow.tune import tune


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 2))


def task(rows: int = 1000) -> Task:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows + 200, 6)).astype("float32")
    y = (x[:, 0] * x[:, 1] + 0.5 * rng.normal(size=len(x)) > 0).astype(int)
    parts = {"train": (x[:rows], y[:rows]), "validation": (x[rows : rows + 100], y[rows : rows + 100])}
    return Task(model=network, epochs=3, metric="accuracy", **parts, test=(x[-100:], y[-100:]))


@pytest.mark.parametrize(("rows", "of_each", "sampled"), [(100, 1, 100), (1000, 1, 256), (4000, 1, 500), (400, 64, 50)])
def test_a_sample_has_rows_from_everywhere(rows: int, of_each: int, sampled: int) -> None:
    targets = torch.zeros((rows, of_each) if of_each > 1 else rows, dtype=torch.long)
    inputs = torch.arange(rows, dtype=torch.float32)[:, None]
    some = next(open_data("train", (inputs, targets), task()).sample().in_order())[0].flatten().tolist()
    assert len(some) == sampled
    assert some[0] == 0
    assert some[-1] >= rows - 1 - rows / sampled
    assert some == sorted(set(some))


def test_a_data_set_is_sampled_and_a_loader_is_not() -> None:
    x, y = torch.randn(700, 6), torch.zeros(700, dtype=torch.long)
    items = list(zip(x, y, strict=True))
    for data, rows in ((items, 256), (DataLoader(TensorDataset(x, y), batch_size=50), 700)):
        part = open_data("train", _Items(data) if isinstance(data, list) else data, task())
        assert sum(len(targets) for _, targets in part.sample().in_order()) == rows


class _Items(torch.utils.data.Dataset):
    def __init__(self, items: list) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> tuple:
        return self.items[index]


@pytest.mark.parametrize("candidates", [1, 3])
def test_only_training_curves_change(candidates: int) -> None:
    """Alone and in a stack."""
    work = task()
    asked = [(Recipe(rates={"*": 0.2 * index}), 0) for index in range(candidates)]
    engine = LocalEngine(work, Silent(), workers=1)
    engine.prepare(asked, sampled=True)
    some = TaskData(work, sampled=True).measured
    for recipe, seed in asked:
        found = engine.known((recipe, seed))
        whole = fit(work, recipe, seed, progress=Silent())
        assert found is not None
        assert found.history.validation_loss == whole.trial.history.validation_loss
        assert found.history.train_loss != whole.trial.history.train_loss
        with torch.no_grad():
            x, y = next(some.in_order())
            expected = nn.functional.cross_entropy(whole.model.eval()(x), y)
        assert found.train.loss == pytest.approx(float(expected), rel=1e-5)


def test_what_a_verdict_judges_is_of_all_rows() -> None:
    work = replace(task(), epochs=4)
    found = tune(work, strategy="random", trials=4, search_seeds=1, test_seeds=2, progress=Silent())
    baseline, guideline, *others = (arm.trials[0] for arm in found.search)
    whole = [fit(work, trial.recipe, trial.seed, progress=Silent()).trial for trial in (baseline, guideline, *others)]
    assert [baseline.train, guideline.train] == [trial.train for trial in whole[:2]]
    assert others
    for one, other in zip(others, whole[2:], strict=True):
        assert one.train != other.train
        assert one.validation == other.validation


def test_the_choice_is_by_validation_alone_and_the_comparison_s_verdicts_are_of_all_rows() -> None:
    work = replace(task(), epochs=4)
    found = tune(work, strategy="random", trials=4, search_seeds=1, test_seeds=2, progress=Silent())
    assert found.finalists is not None
    assert found.comparison is not None
    assert not found.finalists.verdicts
    assert set(found.comparison.verdicts) == {arm.name for arm in found.comparison.arms}
    for comparison, is_whole in ((found.finalists, False), (found.comparison, True)):
        for arm in comparison.arms:
            trial = arm.trials[0]
            alone = fit(work, trial.recipe, trial.seed, progress=Silent()).trial
            assert trial.history.validation_loss == alone.history.validation_loss
            assert (trial.train == alone.train) == is_whole
