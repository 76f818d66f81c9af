"""What diagnose would try next is trained by compare, and is a point that tune's spaces hold."""

from typing import Any

import numpy as np
import pytest
from torch import nn

import sukima
from sukima.diagnosis.known import Known
from sukima.diagnosis.verdict import judge
from sukima.records.history import History
from sukima.tuning.space import Space


def task() -> sukima.Task:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(120, 6)).astype("float32")
    y = (x[:, 0] > 0).astype(int)

    def model(width: int = 8) -> nn.Module:
        return nn.Sequential(nn.Linear(6, width), nn.ReLU(), nn.Dropout(0.3), nn.Linear(width, 2))

    return sukima.Task(
        model=model, train=(x[:60], y[:60]), validation=(x[60:90], y[60:90]), test=(x[90:], y[90:]),
        metric="accuracy", epochs=2, batch_size=20,
    )  # fmt: skip


def over() -> History:
    epochs = np.arange(1, 41)
    fall = 2 / epochs**0.8
    rise = 0.02 * np.maximum(0, epochs - 12)
    return History(train_loss=fall.tolist(), validation_loss=(fall + 0.3 + rise).tolist())


def under() -> History:
    return History(train_metric=[0.7], validation_metric=[0.68], metric="accuracy")


@pytest.mark.parametrize(
    ("history", "expected"), [(over, "overfitting"), (under, "underfitting")], ids=["overfitting", "underfitting"]
)
@pytest.mark.parametrize(
    "now",
    [
        sukima.Recipe(rates={"2": 0.3}),
        sukima.Recipe(rates={"*": 0.6}, weight_decay=1e-3, penalties={"0": sukima.L2(1e-4)}),
        None,
    ],
    ids=["rate", "full", "nothing"],
)
def test_the_next_recipe_can_be_trained_and_searched(history: Any, expected: str, now: sukima.Recipe | None) -> None:
    ours = task()
    sites = sukima.sites(ours.model())
    verdict = judge([history()], known=Known(recipe=now, sites=tuple(sites.values()), rows=60))
    assert verdict.verdict == expected
    assert verdict.recipe is not None
    assert verdict.recipe != (now or sukima.Recipe(rates={"2": 0.3}))
    found = sukima.compare(ours, {"now": now or sukima.Recipe(), "next": verdict.recipe}, seeds=2, effects=False)
    assert [arm.name for arm in found.arms] == ["now", "next"]
    assert all(trial.history.epochs >= 1 for arm in found.arms for trial in arm.trials)
    space = Space.of(sites, breadth="usual")
    point = space.near(verdict.recipe)
    assert set(point) == set(space.names)
    assert space.recipe(point).rates
