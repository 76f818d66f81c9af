"""The runs of a comparison: what is trained, what is kept, and what goes on after a stop."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import nn

import sukima
from sukima.base.errors import InputError
from sukima.comparison.effects import effects_of, epochs_to
from sukima.comparison.plan import ArmPlan, default_plans, plans_of
from sukima.comparison.runs import RunFile
from sukima.engines.progress import Silent
from sukima.engines.torch.fingerprint import fingerprint
from sukima.engines.torch.fit import fit
from sukima.engines.torch.inspect import inspect_model
from sukima.records.history import History
from sukima.records.recipe import Recipe
from sukima.records.result import Comparison, Trial
from sukima.records.task import Task
from sukima.workflow.compare import compare

RNG = np.random.default_rng(0)
X = RNG.normal(size=(150, 6)).astype("float32")
Y = (X[:, 0] + X[:, 1] > 0).astype(int)


def build() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 2))


def small(**changes: Any) -> Task:
    task = Task(
        model=build, train=(X[:60], Y[:60]), validation=(X[60:100], Y[60:100]), test=(X[100:], Y[100:]),
        metric="accuracy", epochs=4, learning_rate=0.01, spare=(X[:60], Y[:60]),
    )  # fmt: skip
    return replace(task, **changes)


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> tuple[Comparison, Path]:
    path = tmp_path_factory.mktemp("runs") / "r.jsonl"
    return compare(small(), seeds=2, runs=path, progress=Silent()), path


def test_the_default_arms(result: tuple[Comparison, Path]) -> None:
    found, _ = result
    assert {arm.name for arm in found.arms} == {
        "none", "dropout", "l1", "l2", "elastic net", "early stopping", "batch norm", "augmentation", "smaller model",
        "twice the data", "ensemble", "dropout + l2", "dropout + early stopping", "dropout + batch norm",
        "dropout + max-norm",
    }  # fmt: skip
    assert found.baseline.name == "none"
    assert not found.left_out
    assert all(arm.seeds == (0, 1) for arm in found.arms)
    assert all(difference.level == pytest.approx(1 - 0.05 / 14) for difference in found.differences.values())


def test_every_effect_has_a_value_for_every_run(result: tuple[Comparison, Path]) -> None:
    found, _ = result
    assert found.effects.keys() == {
        "metric", "gap", "noisy_loss", "calibration", "brier", "co_adaptation", "sparsity", "masked", "epochs",
        "seconds",
    }  # fmt: skip
    for effect in found.effects.values():
        assert all(len(effect.values[arm.name]) == 2 for arm in found.arms)
        assert effect.differences.keys() == found.differences.keys()
    assert set(found.effects["masked"].values["none"]) == {0.0}
    assert 0.0 not in found.effects["masked"].values["dropout"]


def test_an_arm_is_what_the_engine_gives_for_its_recipe(result: tuple[Comparison, Path]) -> None:
    found, _ = result
    arm = found.arm("dropout + l2")
    alone = fit(small(), arm.recipe, 1, test=True, progress=Silent()).trial
    assert alone.test == arm.trials[1].test
    assert alone.history.validation_loss == arm.trials[1].history.validation_loss


def test_an_ensemble_is_the_mean_of_its_members(result: tuple[Comparison, Path]) -> None:
    found, _ = result
    ensemble, none = found.arm("ensemble"), found.arm("none")
    assert ensemble.members == 5
    assert ensemble.recipe == none.recipe
    assert ensemble.trials[0].history.validation_loss == none.trials[0].history.validation_loss
    assert ensemble.trials[0].test != none.trials[0].test
    assert sum(ensemble.trials[0].history.seconds) > sum(none.trials[0].history.seconds)


def test_a_finished_comparison_trains_nothing_again(result: tuple[Comparison, Path]) -> None:
    found, path = result
    again = compare(small(), seeds=2, runs=path, progress=Silent())
    assert again.cost.trials == 0
    assert again.differences == found.differences
    assert again.effects == found.effects


def test_what_is_missing_is_trained_and_gives_the_same(result: tuple[Comparison, Path], tmp_path: Path) -> None:
    found, path = result
    lines = path.read_text().splitlines()
    part = tmp_path / "part.jsonl"
    part.write_text("\n".join([*lines[::2], "no json", '{"run": "x"}', lines[1][: len(lines[1]) // 2]]))
    again = compare(small(), seeds=2, runs=part, progress=Silent())
    assert 0 < again.cost.trials < found.cost.trials
    assert again.differences == found.differences
    whole = compare(small(), seeds=2, runs=part, progress=Silent())
    assert whole.cost.trials == 0  # a line that was torn does not spoil the one after it


def test_a_single_recipe_stands_beside_the_default_ones(result: tuple[Comparison, Path]) -> None:
    _, path = result
    mine = Recipe(rates={"1": 0.1})
    found = compare(small(), {"mine": mine}, seeds=2, runs=path, progress=Silent())
    assert found.arms[-1].name == "mine"
    assert found.cost.trials == 2
    with pytest.raises(InputError, match="'none' is taken"):
        compare(small(), {"none": mine}, seeds=2, progress=Silent())


def test_ctrl_c_keeps_what_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stops(Silent):
        ended = 0

        def trial(self, trial: Trial) -> None:
            Stops.ended += 1
            if Stops.ended == 3:
                raise KeyboardInterrupt

    path = tmp_path / "r.jsonl"
    recipes = {"a": Recipe(), "b": Recipe(early_stopping=2), "c": Recipe(weight_decay=0.1)}
    found = compare(small(), recipes, seeds=2, runs=path, progress=Stops())
    assert not found.complete
    kept = [json.loads(line) for line in path.read_text().splitlines()]
    assert 2 <= len(kept) <= 3
    whole = compare(small(), recipes, seeds=2, runs=path, progress=Silent())
    assert whole.cost.trials == 6 - len(kept)
    assert whole.differences == compare(small(), recipes, seeds=2, progress=Silent()).differences


def test_ctrl_c_before_anything_is_finished_is_passed_on() -> None:
    class StopsAtOnce(Silent):
        def epoch(self, history: History, epochs: int) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare(small(), {"a": Recipe(), "b": Recipe(weight_decay=0.1)}, seeds=2, progress=StopsAtOnce())


def test_a_run_is_known_by_all_that_decides_it(tmp_path: Path) -> None:
    file, task = RunFile(tmp_path / "r.jsonl"), small()
    same = [ArmPlan(Recipe(), task), ArmPlan(Recipe(), small())]
    others = [
        ArmPlan(Recipe(early_stopping=3), task),
        ArmPlan(Recipe(), task, members=5),
        ArmPlan(Recipe(), small(epochs=5)),
        ArmPlan(Recipe(), small(learning_rate=0.02)),
        ArmPlan(Recipe(), small(train=(X[:60] + 1e-6, Y[:60]))),
        ArmPlan(Recipe(), small(test=None)),
        ArmPlan(Recipe(), small(loss=lambda o, t: nn.functional.cross_entropy(o, t))),
        ArmPlan(Recipe(), small(model=lambda: nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 2)))),
    ]
    assert len({file.name(plan, 0) for plan in same}) == 1
    assert len({file.name(plan, 0) for plan in [*same, *others]} | {file.name(same[0], 1)}) == len(others) + 2


def test_variants_have_names_of_their_own() -> None:
    plans, _ = default_plans(small(), inspect_model(small()).sites)
    tasks = {id(plan.task): plan.task for plan in plans.values()}.values()
    assert len({fingerprint(task) for task in tasks}) == len(tasks) == 4


def test_the_time_to_a_loss_that_is_never_reached_is_infinite() -> None:
    history = History(train_loss=[3, 2, 1], validation_loss=[3, 2, 1], seconds=[1, 1, 1])
    assert [epochs_to(history, goal) for goal in (3, 2.5, 1, 0.5)] == [1, 2, 3, math.inf]


def test_diverging_arms_lose(tmp_path: Path) -> None:
    calm, wild = Recipe(), Recipe(penalties={"*": sukima.L2(strength=1e39)})
    found = compare(small(), {"calm": calm, "wild": wild}, seeds=2, runs=tmp_path / "r.jsonl", progress=Silent())
    assert found.differences["wild"].outcome == "worse"
    again = compare(small(), {"calm": calm, "wild": wild}, seeds=2, runs=tmp_path / "r.jsonl", progress=Silent())
    assert again.cost.trials == 0  # infinite numbers survive the file
    assert again.differences["wild"].outcome == "worse"


def test_plans_of_recipes_are_on_the_task_itself() -> None:
    task = small()
    assert plans_of(task, {"a": Recipe()}) == {"a": ArmPlan(Recipe(), task)}


def test_effects_need_a_value_from_every_run(result: tuple[Comparison, Path]) -> None:
    arms = list(result[0].arms[:2])
    arms[1] = replace(arms[1], trials=tuple(replace(trial, effects={}) for trial in arms[1].trials))
    assert effects_of(arms, "loss", "test", None, 0.95).keys() == {"metric", "gap"}
