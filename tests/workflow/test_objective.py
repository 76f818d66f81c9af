"""Tuning with a training loop of one's own."""

import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import optuna
import pytest
import torch
from torch import nn

import sukima
from sukima.base.errors import InputError
from sukima.engines.progress import Lines, Silent
from sukima.integrations.optuna import suggest
from sukima.records.history import History
from sukima.records.recipe import Recipe
from sukima.records.result import TuneResult
from sukima.records.site import Site
from sukima.reporting import document_of
from sukima.reporting.json import to_json
from sukima.tuning.space import Space
from sukima.tuning.study import StudyPausedError
from sukima.workflow.objective import tune_objective
from sukima.workflow.objective_report import Objective, Report

SPACE = Space.of([Site(name="a"), Site(name="b")])


def bowl(recipe: Recipe, seed: int) -> float:
    noise = np.random.default_rng([seed, round(1000 * sum(recipe.rates.values()))]).normal(0, 0.01)
    return (recipe.rates["a"] - 0.6) ** 2 + (recipe.rates["b"] - 0.2) ** 2 + 1 + noise


def tuned(objective: Objective, **options: object) -> TuneResult:
    return tune_objective(objective, SPACE, progress=Silent(), **({"trials": 30} | options))


def test_finds_the_bowl_and_confirms_it_with_fresh_seeds() -> None:
    seeds = set()

    def objective(recipe: Recipe, report: Report) -> float:
        seeds.add(report.seed)
        return bowl(recipe, report.seed)

    result = tuned(objective)
    assert result.complete
    assert abs(result.recipe.rates["a"] - 0.6) <= 0.2
    assert abs(result.recipe.rates["b"] - 0.2) <= 0.2
    assert result.comparison is not None
    assert len(seeds) == 4
    assert {0} == {seed for arm in result.search for seed in arm.seeds}
    assert 0 not in {seed for arm in result.comparison.arms for seed in arm.seeds}
    assert result.flat == {}  # one seed tells nothing of noise
    assert document_of(result).sections
    assert "tpe" in to_json(result)


@pytest.mark.parametrize("increases", [False, True])
def test_the_forms_of_an_answer(increases: bool) -> None:
    sign = 1 if increases else -1

    def by_report(recipe: Recipe, report: Report) -> None:
        for epoch in range(1, 5):
            report(epoch, -sign * bowl(recipe, report.seed) * (1 + 1 / epoch))

    def by_history(recipe: Recipe, report: Report) -> History:
        curve = [-sign * bowl(recipe, report.seed) * (1 + 1 / epoch) for epoch in range(1, 5)]
        if increases:
            return History(train_metric=curve, validation_metric=curve, metric="score")
        return History(train_loss=curve, validation_loss=curve)

    results = [tuned(o, increases=increases, trials=8, confirm_seeds=2, prune=False) for o in (by_report, by_history)]
    values = [[arm.trials[0].validation.by(result.by) for arm in result.search] for result in results]
    assert values[0] == values[1]
    assert results[0].recipe == results[1].recipe


def test_the_hopeless_are_given_up_and_the_good_are_not() -> None:
    lengths: dict[str, int] = {}

    def objective(recipe: Recipe, report: Report) -> None:
        for epoch in range(1, 21):
            lengths[recipe.to_json()] = epoch
            if report(epoch, bowl(recipe, report.seed) * (1 + 1 / epoch)):
                return

    result = tuned(objective, trials=40)
    assert result.given_up > 5
    assert {length for length in lengths.values() if length < 20} <= {5, 10}
    assert abs(result.recipe.rates["a"] - 0.6) <= 0.2
    assert len(result.search) + result.given_up == 40


def test_failures_are_recorded_and_the_study_goes_on() -> None:
    def objective(recipe: Recipe, report: Report) -> float:
        if recipe.rates["a"] > 0.7:
            raise MemoryError("no memory left")
        return math.nan if recipe.rates["b"] > 0.6 else bowl(recipe, report.seed)

    result = tuned(objective, strategy="random")
    assert result.failed > 0
    assert result.complete
    assert all(arm.recipe.rates["a"] <= 0.7 and arm.recipe.rates["b"] <= 0.6 for arm in result.search)


@pytest.mark.parametrize("strategy", ["random", "tpe"])
@pytest.mark.parametrize("after", [1, 7, 25])
def test_ctrl_c_and_again_ends_as_if_nothing_had_happened(strategy: str, after: int, tmp_path: Path) -> None:
    calls: list[str] = []

    def objective(recipe: Recipe, report: Report) -> float:
        calls.append(recipe.to_json())
        if len(calls) == after:
            raise KeyboardInterrupt
        return bowl(recipe, report.seed)

    whole = tuned(lambda recipe, report: bowl(recipe, report.seed), strategy=strategy, trials=20)
    storage = f"sqlite:///{tmp_path / 'study.db'}"
    first = tuned(objective, strategy=strategy, trials=20, storage=storage)
    assert not first.complete
    second = tuned(objective, strategy=strategy, trials=20, storage=storage)
    assert second.complete
    assert second.recipe == whole.recipe
    first_values, values = ([[t.validation for t in arm.trials] for arm in r.search] for r in (second, whole))
    assert first_values == values
    assert len(calls) == len({trial.recipe.to_json() for arm in whole.search for trial in arm.trials}) + 12 + 1


@pytest.mark.parametrize(
    ("takes", "arms", "pairs"),
    [(0.8, 4, 3), (1.0, 4, 3), (2.4, 4, 2), (3.0, 3, 2), (4.0, 2, 2), (9.0, 0, 0), (30, 0, 0)],
)
def test_a_budget_is_kept_with_its_end(
    takes: float, arms: int, pairs: int, clock: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    def objective(recipe: Recipe, report: Report) -> float:
        clock.now += takes * (1 + 0.05 * math.sin(clock.now))
        return bowl(recipe, report.seed)

    result = tune_objective(objective, SPACE, budget=40, progress=Lines())
    assert clock.now <= 40 * 1.1
    assert clock.now + 2 * takes > 40
    assert result.complete
    compared = () if result.comparison is None else result.comparison.arms
    assert len(compared) == arms
    assert all(len(arm.trials) == pairs for arm in compared)
    assert ("nothing is claimed" in capsys.readouterr().err) == (not arms)


def test_ctrl_c_in_the_end_of_a_spent_budget_loses_nothing(clock: SimpleNamespace) -> None:
    def objective(recipe: Recipe, report: Report) -> float:
        if report.seed:
            raise KeyboardInterrupt
        clock.now += 1
        return bowl(recipe, report.seed)

    result = tuned(objective, budget=30)
    assert not result.complete
    assert len(result.search) == 18


class FullDisk(optuna.storages.InMemoryStorage):
    """Takes so many reports, then none until there is room."""

    room = 17

    def set_trial_intermediate_value(self, trial_id: int, step: int, intermediate_value: float) -> None:
        self.room -= 1
        if self.room == 0:
            raise OSError("no space left on device")
        super().set_trial_intermediate_value(trial_id, step, intermediate_value)


def test_a_report_that_cannot_be_written_pauses_the_study() -> None:
    def objective(recipe: Recipe, report: Report) -> None:
        for epoch in range(1, 5):
            report(epoch, bowl(recipe, report.seed) + 1 / epoch)

    storage = FullDisk()
    with pytest.raises(StudyPausedError, match="the study is paused"):
        tuned(objective, storage=storage, prune=False, strategy="random", trials=8)
    result = tuned(objective, storage=storage, prune=False, strategy="random", trials=8)
    assert result.failed == 0
    assert result.recipe == tuned(objective, prune=False, strategy="random", trials=8).recipe


def test_a_real_loop() -> None:
    torch.manual_seed(0)
    x = torch.randn(160, 8)
    y = (x[:, 0] + 0.5 * torch.randn(160) > 0).long()

    def objective(recipe: Recipe, report: Report) -> None:
        torch.manual_seed(report.seed)
        model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 2))
        applied = sukima.apply(model, recipe)
        optimizer = torch.optim.Adam(model.parameters(), 0.01)
        applied.attach(optimizer)
        for epoch in range(1, 16):
            model.train()
            optimizer.zero_grad()
            (nn.functional.cross_entropy(model(x[:80]), y[:80]) + applied.penalty()).backward()
            optimizer.step()
            model.eval()
            if report(epoch, float(nn.functional.cross_entropy(model(x[80:]), y[80:]).detach())):
                return

    space = Space.of(sukima.sites(nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 2))), breadth="full")
    result = tune_objective(objective, space, trials=12, confirm_seeds=2, progress=Silent())
    assert result.complete
    assert result.failed == 0


def test_suggest_in_a_study_of_ones_own() -> None:
    model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 2))
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0))
    study.optimize(lambda trial: abs(suggest(trial, model).rates["2"] - 0.3), n_trials=30)
    assert abs(study.best_params["rate 2"] - 0.3) < 0.11
    wide = Space.of(sukima.sites(model), breadth="full")
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(lambda trial: len(suggest(trial, wide).penalties), n_trials=10)
    assert set(study.best_params) == set(wide.names)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"strategy": "magic"}, "strategy must be one of"),
        ({"trials": 0}, "trials must be"),
        ({"budget": "soon"}, "budget must be a time"),
        ({"confirm_seeds": -1}, "confirm_seeds must be"),
    ],
)
def test_what_is_refused(options: dict[str, object], words: str) -> None:
    with pytest.raises(InputError) as refused:
        tuned(lambda recipe, report: 1.0, **options)
    assert words in str(refused.value)
    with pytest.raises(InputError, match="objective must be a function"):
        tuned(3)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="space must be"):
        tune_objective(lambda recipe, report: 1.0, {"a": 0.1})  # type: ignore[arg-type]
    with pytest.raises(InputError, match="expected at least one candidate to give a number, got ValueError: no"):
        tuned(lambda recipe, report: (_ for _ in ()).throw(ValueError("no")), trials=3)
