"""The monitor stops for a rise or for the end of progress, not for noise."""

import doctest
import math
from collections.abc import Callable

import pytest

import sukima.diagnosis.live
from sukima.base.errors import InputError
from sukima.diagnosis.live import Monitor
from sukima.records.history import History

Make = Callable[..., History]


def stopped_at(monitor: Monitor, run: History) -> int | None:
    for epoch, (train, validation) in enumerate(zip(run.train_loss, run.validation_loss, strict=True), 1):
        monitor.update(train_loss=train, validation_loss=validation)
        if monitor.should_stop:
            return epoch
    return None


def test_example_in_the_docstring() -> None:
    assert doctest.testmod(sukima.diagnosis.live).failed == 0


@pytest.mark.parametrize("seed", range(4))
def test_it_stops_soon_after_a_rise_that_is_no_noise(history: Make, seed: int) -> None:
    monitor = Monitor()
    at = stopped_at(monitor, history(rise=0.02, turn=25, noise=0.01, epochs=80, seed=seed))
    assert at is not None
    assert 26 <= at <= 40
    assert abs(monitor.best_epoch - 25) <= 4
    assert monitor.reason is not None


@pytest.mark.parametrize("seed", range(4))
def test_noise_alone_does_not_stop_a_run_that_improves(history: Make, seed: int) -> None:
    assert stopped_at(Monitor(), history(speed=40, noise=0.05, epochs=60, seed=seed)) is None


def test_one_jump_does_not_stop(history: Make) -> None:
    run = history(speed=30, epochs=40)
    run.validation_loss[20] += 1.0
    at = stopped_at(Monitor(), run)
    assert at is None or at > 30


def test_it_stops_where_nothing_is_left_to_gain(history: Make) -> None:
    monitor = Monitor()
    at = stopped_at(monitor, history(epochs=300, noise=0.001))
    assert at is not None
    assert at < 200


def test_a_loss_that_is_no_number_stops_at_once() -> None:
    monitor = Monitor()
    assert monitor.update(train_loss=1.0, validation_loss=1.0).verdict == "unclear"
    assert monitor.update(train_loss=math.nan, validation_loss=1.0).verdict == "diverged"
    assert monitor.should_stop
    first = Monitor()
    assert first.update(train_loss=math.inf, validation_loss=1.0).verdict == "diverged"


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(InputError, match="sigmas"):
        Monitor(sigmas=0)
    with pytest.raises(InputError, match="worth"):
        Monitor(worth=1.0)
