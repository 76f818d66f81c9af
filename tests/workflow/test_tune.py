"""Tune and compare from Python: what they find, what they claim, and what they refuse."""

import statistics
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import sukima
from sukima.base.errors import InputError
from sukima.base.messages import Message
from sukima.engines.progress import Silent
from sukima.records.result import TuneResult
from sukima.reporting import document_of
from sukima.reporting.html import page_html
from sukima.tuning.deadline import BudgetSpentError
from sukima.tuning.search import Search
from sukima.workflow.compare import compare
from sukima.workflow.ending import Ending
from sukima.workflow.tune import tune


def small_task(**changes: Any) -> sukima.Task:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(150, 6)).astype("float32")
    y = (x[:, 0] + x[:, 1] > 0).astype(int)
    task = sukima.Task(
        model=lambda: nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 2)),
        train=(x[:60], y[:60]),
        validation=(x[60:100], y[60:100]),
        test=(x[100:], y[100:]),
        metric="accuracy",
        epochs=4,
        learning_rate=0.01,
    )
    return replace(task, **changes)


@pytest.fixture(scope="module")
def result() -> TuneResult:
    return tune(small_task(), search_seeds=2, test_seeds=3, progress=Silent())


def test_what_a_study_holds(result: TuneResult) -> None:
    assert result.complete
    assert [site.name for site in result.sites] == ["1", "3"]
    assert not any(site.exists for site in result.sites)
    assert result.ladder[0].rate == 0
    assert result.ladder[0].accepted
    assert result.baseline is not None
    assert result.comparison is not None
    assert result.comparison.data == "test"
    searched = {seed for arm in result.search for seed in arm.seeds}
    assert not searched & {seed for arm in result.comparison.arms for seed in arm.seeds}
    assert result.finalists is not None
    assert result.finalists.data == "validation"
    assert all(trial.test is None for arm in result.finalists.arms for trial in arm.trials)
    assert not searched & {seed for arm in result.finalists.arms for seed in arm.seeds}
    assert all(trial.test is None for arm in result.search for trial in arm.trials)
    assert all(trial.test is not None for arm in result.comparison.arms for trial in arm.trials)
    assert result.cost.trials == len({(r.to_json(), s) for r, s in _all_trials(result)})


def _all_trials(result: TuneResult) -> list[tuple[sukima.Recipe, int]]:
    compared = [part.arms for part in (result.finalists, result.comparison) if part is not None]
    return [(arm.recipe, seed) for arms in (result.search, *compared) for arm in arms for seed in arm.seeds]


def test_the_same_study_again_gives_the_same(result: TuneResult) -> None:
    again = tune(small_task(), search_seeds=2, test_seeds=3, progress=Silent())
    assert again.recipe == result.recipe
    assert again.comparison is not None
    assert result.comparison is not None
    assert again.comparison.differences == result.comparison.differences
    assert [r.values for r in again.ladder] == [r.values for r in result.ladder]


def test_by_metric_and_without_test_data() -> None:
    result = tune(small_task(test=None), by="accuracy", search_seeds=1, test_seeds=2, progress=Silent())
    assert result.by == "metric"
    assert result.comparison is not None
    assert result.comparison.data == "validation"
    assert all(0 <= value <= 1 for rung in result.ladder for value in rung.values)


def test_where_nothing_helps_the_winner_is_empty_and_nothing_is_claimed() -> None:
    """The targets are a linear function that the network learns exactly: dropout can only disturb it."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(400, 3)).astype("float32")
    y = x @ np.array([[1.0], [2.0], [-1.0]], dtype="float32")
    task = small_task(
        model=lambda: nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1)),
        train=(x[:300], y[:300]),
        validation=(x[300:350], y[300:350]),
        test=(x[350:], y[350:]),
        loss="mse",
        metric="r2",
        epochs=15,
    )
    result = tune(task, search_seeds=3, test_seeds=3, progress=Silent())
    assert result.recipe.is_empty
    assert result.comparison is not None
    assert [arm.name for arm in result.comparison.arms] == ["baseline", "guideline"]
    assert result.comparison.differences["guideline"].outcome == "worse"
    assert document_of(result)


def test_interrupted_study_keeps_what_is_done() -> None:
    calls = 0

    def loss(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        if calls == 300:
            raise KeyboardInterrupt
        return nn.functional.cross_entropy(outputs, targets)

    result = tune(small_task(loss=loss), search_seeds=2, test_seeds=2, workers=1, progress=Silent())
    assert not result.complete
    assert result.baseline is not None
    assert document_of(result)


def test_a_short_budget_has_fewer_seeds_also_where_the_study_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {
        "budget": 60,
        "trials": 4,
        "test_seeds": 2,
        "storage": f"sqlite:///{tmp_path}/study.db",
        "progress": Silent(),
    }
    monkeypatch.setattr("sukima.workflow.tune._CANDIDATES", 1_000_000)  # more than there is ever time for
    short = tune(small_task(), **settings)
    assert {len(arm.trials) for arm in short.search} == {1}
    monkeypatch.setattr("sukima.workflow.tune._CANDIDATES", 0.001)
    again = tune(small_task(), **settings)
    assert {len(arm.trials) for arm in again.search} == {1}
    long = tune(small_task(), **settings | {"storage": None})
    assert {len(arm.trials) for arm in long.search} == {3}
    assert {len(arm.trials) for arm in tune(small_task(), search_seeds=2, **settings).search} == {2}


def test_where_no_time_is_left_for_finalists_the_search_s_best_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_time(_self: object) -> None:
        raise BudgetSpentError

    monkeypatch.setattr("sukima.workflow.choice.Choice.make", no_time)
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(160, 6)).astype("float32"), rng.integers(2, size=160)
    task = small_task(train=(x[:60], y[:60]), validation=(x[60:], y[60:]), epochs=8)  # with nothing to be learned
    result = tune(task, strategy="random", trials=6, test_seeds=2, storage=None, progress=Silent())
    best = min(result.search, key=lambda arm: np.mean([trial.validation.loss for trial in arm.trials]))
    assert result.finalists is None
    assert not best.recipe.is_empty
    assert result.recipe == best.recipe
    assert result.comparison is not None
    assert result.recipe in [arm.recipe for arm in result.comparison.arms]
    assert document_of(result)


@pytest.mark.parametrize(("strategy", "candidates"), [("tpe", 18), ("halving", 20)])
def test_a_batch_is_as_large_as_there_is_time_for(
    strategy: Any, candidates: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    searches = []

    def affordable(search: Search, share: float = 1.0) -> float:
        searches.append(search)
        return (18.8 - len(search.entries())) / share / 0.85

    monkeypatch.setattr(Search, "affordable", affordable)
    task = small_task(epochs=8)
    found = tune(task, strategy=strategy, budget=60, search_seeds=1, test_seeds=2, storage=None, progress=Silent())
    assert found.complete
    # Three that are given, twelve, and three for the rest; or five that take three quarters of a training each.
    assert len(searches[-1].entries()) == candidates


def test_the_last_candidates_are_tried_where_there_is_time_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Search, "affordable", lambda _search, _share=1.0: 2.5)  # less than for a batch
    options: Any = {"strategy": "random", "budget": 60, "trials": 4, "search_seeds": 1, "test_seeds": 2}
    found = tune(small_task(), storage=None, progress=Silent(), **options)
    assert len(found.search) + found.failed == 4


def test_few_costly_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Gaussian process proposes them, and of finalists the search's own runs count as well."""
    monkeypatch.setattr(Search, "affordable", lambda search, _share=1.0: 20.0 - len(search.entries()))
    monkeypatch.setattr(Search, "pace", 2.0)
    found = tune(small_task(epochs=8), budget=40, test_seeds=2, storage=None, progress=Silent())
    assert found.complete
    assert found.strategy == "gp"
    assert not found.given_up
    assert found.finalists is not None
    searched = {seed for arm in found.search for seed in arm.seeds}
    assert len(set(found.finalists.arms[0].seeds) - searched) == 1 < len(found.finalists.arms[0].seeds)
    page = page_html(document_of(found))
    assert len(found.finalists.arms) == len({arm.recipe.to_json() for arm in found.finalists.arms}) >= 2
    best = min(found.finalists.arms, key=lambda arm: statistics.fmean(t.validation.loss for t in arm.trials)).recipe
    assert found.recipe == (sukima.Recipe() if best.is_empty else best)
    assert "their runs of the search count as well" in page
    assert "探索での結果も合わせて" in page


def test_without_time_for_a_fresh_seed_there_are_no_finalists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Search, "affordable", lambda search, _share=1.0: 12.0 - len(search.entries()))
    monkeypatch.setattr(Search, "pace", 2.0)
    monkeypatch.setattr(Ending, "begin_choice", lambda _end, deadline: setattr(deadline, "reserve", 1e9))
    found = tune(small_task(), budget=40, test_seeds=2, storage=None, progress=Silent())
    assert found.finalists is None
    assert found.comparison is not None


def overfitting_task() -> sukima.Task:
    """It can only overfit."""
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(160, 6)).astype("float32"), rng.integers(2, size=160)
    return small_task(train=(x[:60], y[:60]), validation=(x[60:], y[60:]), epochs=30)


def test_what_the_verdict_advises_is_tried_beside_the_first_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    batches = []
    evaluate = Search.evaluate

    def noted(search: Search, entries: Any, **options: Any) -> Any:
        batches.append([entry.number for entry in entries if entry.state == "waiting"])
        return evaluate(search, entries, **options)

    monkeypatch.setattr(Search, "evaluate", noted)
    task = overfitting_task()
    found = tune(task, strategy="random", trials=6, search_seeds=1, test_seeds=2, storage=None, progress=Silent())
    assert found.baseline is not None
    assert found.baseline.recipe is not None
    assert batches[:2] == [[0, 1], [2, 3, 4, 5]]


def test_what_the_verdict_advises_is_left_where_there_is_no_time_for_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Search, "affordable", lambda _search, _share=1.0: 0.9)
    monkeypatch.setattr(Search, "pace", 0.1)
    options: Any = {"search_seeds": 1, "test_seeds": 2, "storage": None, "progress": Silent()}
    found = tune(overfitting_task(), budget=40, **options)
    assert found.baseline is not None
    assert found.baseline.recipe is not None  # so there is advice
    assert [arm.name for arm in found.search] == ["baseline", "guideline"]
    assert found.comparison is not None


def test_compare_differs_only_by_the_recipe() -> None:
    same = {"a": sukima.Recipe(rates={"1": 0.0}), "b": sukima.Recipe(rates={"1": 0.0, "3": 0.0})}
    result = compare(small_task(), same, seeds=3, progress=Silent())
    assert result.differences["b"].gains == (0.0, 0.0, 0.0)
    assert result.differences["b"].outcome == "no difference"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"by": "f1"}, "by must be one of 'accuracy', 'loss', got 'f1'"),
        ({"test_seeds": 1}, "test_seeds must be a whole number of at least 2, got 1"),
        ({"search_seeds": 0}, "search_seeds"),
        ({"task": 3}, "task must be Task, got int 3"),
        ({"task": small_task(model=lambda: nn.Linear(6, 2))}, "got none in Linear"),
        ({"task": small_task(metric=None), "by": "accuracy"}, "by must be one of 'loss', got 'accuracy'"),
    ],
)
def test_what_tune_refuses(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as refused:
        tune(**({"task": small_task(), "progress": Silent()} | arguments))
    assert words in str(refused.value).replace("'loss', 'accuracy'", "'accuracy', 'loss'")


def test_what_compare_refuses() -> None:
    with pytest.raises(InputError, match="at least one"):
        compare(small_task(), {}, progress=Silent())
    with pytest.raises(InputError, match="expected one of the model's sites"):
        compare(small_task(), {"a": sukima.Recipe(), "b": sukima.Recipe(rates={"x": 0.1})}, progress=Silent())


def test_a_budget_that_is_spent_before_anything_is_trained() -> None:
    notes = list[str]()

    class Noting(Silent):
        def note(self, message: Message) -> None:
            notes.append(str(message))

    found = tune(small_task(), budget=1e-6, storage=None, progress=Noting())
    assert not found.search
    assert found.comparison is None
    assert document_of(found)
    assert "before anything was trained" in notes[-1]
