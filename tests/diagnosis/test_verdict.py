"""Verdicts on curves whose truth is known."""

import math
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from sukima.base.errors import InputError
from sukima.diagnosis import diagnose, judge
from sukima.records.history import History

Make = Callable[..., History]


@pytest.mark.parametrize("scale", [1, 0.01])
@pytest.mark.parametrize(
    ("train", "validation", "expected"),
    [
        (85, 83, "healthy"),
        (99, 75, "overfitting"),
        (70, 68, "underfitting"),
        (92, 90, "healthy"),
        (96, 86, "overfitting"),
    ],
)
def test_single_row_follows_the_threshold_rules(train: float, validation: float, expected: str, scale: float) -> None:
    verdict = diagnose({"accuracy": [train * scale], "val_accuracy": [validation * scale]})
    assert verdict.verdict == expected
    assert 0.25 < verdict.confidence < 0.7  # one row says little
    assert verdict.evidence


def test_accuracies_alone_are_judged_by_trees_of_their_own() -> None:
    """An error that settles says nothing of a loss: the same numbers are judged otherwise as one and as the other."""
    train = [0.6 * math.exp(-e / 4) + 0.005 for e in range(30)]
    validation = [0.6 * math.exp(-e / 4) + 0.15 + 0.004 * max(0, e - 10) for e in range(30)]
    alone = judge([History(train_metric=[1 - t for t in train], validation_metric=[1 - v for v in validation])])
    losses = judge([History(train_loss=train, validation_loss=validation)])
    assert alone.verdict == losses.verdict == "overfitting"
    assert alone.confidence != losses.confidence
    still = [0.1 + 0.02 * e for e in range(16)]
    assert judge([History(train_metric=still, validation_metric=still)]).verdict == "unfinished"


def test_a_row_without_accuracy_is_unclear() -> None:
    assert diagnose({"loss": [0.5], "val_loss": [0.6]}).verdict == "unclear"


@pytest.mark.parametrize("seed", range(5))
def test_overfitting_and_its_onset(seed: int, history: Make) -> None:
    verdict = judge([history(rise=0.01, turn=25, seed=seed)])
    assert verdict.verdict == "overfitting"
    assert verdict.onset_epoch is not None
    # The fall still outweighs the rise for a few epochs after the turn: 2.2/6·exp(−e/6) = 0.01 at e = 21.6.
    assert 22 <= verdict.onset_epoch <= 30


def test_seeds_are_pooled(history: Make) -> None:
    few = judge([history(rise=0.0008, turn=25, noise=0.01, seed=s) for s in range(8)])
    assert few.verdict == "overfitting"
    assert judge([history(rise=0.01, turn=25, seed=s) for s in range(3)]).verdict == "overfitting"


def test_losses_at_rest_are_no_cause_for_alarm(history: Make) -> None:
    verdict = judge([history(gap=0.05, seed=3)]).verdict
    assert verdict in ("healthy", "underfitting", "unclear")


def test_a_curve_that_still_falls_is_unfinished(history: Make) -> None:
    assert judge([history(epochs=20, speed=40, gap=0.02)]).verdict == "unfinished"


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_tail_that_is_not_finite_diverged(value: float, history: Make) -> None:
    run = history()
    run.validation_loss[40:] = [value] * 20
    verdict = judge([run])
    assert verdict.verdict == "diverged"
    assert "41" in verdict.evidence[0].text("en")


def test_rising_training_loss_diverged() -> None:
    run = History(train_loss=[2.0 + 0.3 * i for i in range(20)], validation_loss=[2.1 + 0.3 * i for i in range(20)])
    assert judge([run]).verdict == "diverged"


@pytest.mark.parametrize(
    "curves",
    [
        {"loss": [1.0, math.nan, 0.5], "val_loss": [1.0, 0.9, 0.8]},
        {"loss": [math.nan, math.nan], "val_loss": [1.0, 0.9]},
        {"loss": [1.0, 0.9], "val_loss": [1.0]},
        {"loss": [1.0, 0.9]},
        {},
        {"loss": ["a"], "val_loss": ["b"]},
        [],
        3,
        None,
    ],
)
def test_bad_histories_are_one_line_errors(curves: object) -> None:
    with pytest.raises(InputError) as caught:
        diagnose(curves)
    assert "\n" not in str(caught.value)


def test_an_object_with_a_history_is_read_as_keras_gives_it() -> None:
    class Keras:
        history = {"loss": [1.0], "val_loss": [1.1], "accuracy": [0.99], "val_accuracy": [0.7]}  # noqa: RUF012

    assert diagnose(Keras()).verdict == "overfitting"


@pytest.mark.parametrize("unit", [1e-6, 1e-3, 1e3, 1e6])
@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ({"rise": 0.01}, "overfitting"),
        ({"epochs": 20, "speed": 40, "gap": 0.02}, "unfinished"),
        ({"gap": 0.05, "seed": 3}, "healthy"),
    ],
)
def test_losses_in_another_unit_mean_the_same(history: Make, unit: float, shape: dict[str, Any], expected: str) -> None:
    run = history(**shape)
    other = msgspec.structs.replace(
        run, train_loss=[unit * v for v in run.train_loss], validation_loss=[unit * v for v in run.validation_loss]
    )
    assert judge([other]).verdict in (expected, "unclear")


def test_scaling_the_loss_does_not_change_the_verdict_of_a_strong_case(history: Make) -> None:
    run = history(rise=0.01)
    tenfold = msgspec.structs.replace(
        run,
        train_loss=[10 * v for v in run.train_loss],
        validation_loss=[10 * v for v in run.validation_loss],
    )
    assert judge([tenfold]).verdict == judge([run]).verdict == "overfitting"
