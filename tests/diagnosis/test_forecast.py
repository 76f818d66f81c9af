"""The forecast: ordered, bounded, growing with the time, in the unit of the loss."""

from collections.abc import Callable

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sukima.diagnosis.curves import Curves, curves_of
from sukima.diagnosis.forecast import forecast
from sukima.records.history import History

Make = Callable[..., History]

finite = st.floats(-1e6, 1e6, allow_nan=False)


def test_a_falling_curve_goes_on_falling_and_a_rising_one_rising(history: Make) -> None:
    falls = forecast(curves_of(history(epochs=20, speed=40, gap=0.02)), 20)
    rises = forecast(curves_of(history(rise=0.03, turn=20)), 60)
    assert falls.gain > 0
    assert rises.gain < 0


@pytest.mark.parametrize("unit", [0.01, 100])
def test_it_is_in_the_unit_of_the_loss(history: Make, unit: float) -> None:
    run = history(epochs=30)
    scaled = msgspec.structs.replace(
        run, train_loss=[unit * v for v in run.train_loss], validation_loss=[unit * v for v in run.validation_loss]
    )
    one, other = (forecast(curves_of(made), 30) for made in (run, scaled))
    # Not exactly: whether a rise counts at all depends on its absolute size.
    assert other.gain / unit == pytest.approx(one.gain, abs=0.02)


def test_little_is_known_of_the_far_future_and_nothing_from_three_epochs(history: Make) -> None:
    run = curves_of(history(epochs=30, noise=0.01))
    widths = [found.high - found.low for found in (forecast(run, epochs) for epochs in (3, 15, 60, 300))]
    assert widths == sorted(widths)
    assert forecast(curves_of(history(epochs=3)), 3).interval == (-np.inf, np.inf)


@given(st.lists(st.tuples(finite, finite), min_size=4, max_size=40), st.integers(1, 1000))
def test_any_finite_curves_give_an_ordered_interval(rows: list[tuple[float, float]], epochs: int) -> None:
    train, validation = (np.array(column) for column in zip(*rows, strict=True))
    found = forecast(Curves(train, validation, np.arange(1, len(rows) + 1), True, np.empty(0), np.empty(0)), epochs)
    assert found.epochs == epochs
    assert found.low <= found.gain <= found.high
    assert np.isfinite([found.low, found.high]).all()
