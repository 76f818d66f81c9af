"""How numbers are written."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sukima.records.result import Difference
from sukima.reporting.numbers import alike, duration, interval, number, signed
from sukima.reporting.text import in_language


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.11634, "0.1163"),
        (2.302585, "2.3026"),
        (12.3456, "12.346"),
        (123456.7, "123457"),
        (1.0, "1.0000"),
        (0.0, "0.0000"),
        (-0.5, "−0.5000"),
        (0.00034, "0.00034"),
        (3.2e-7, "3.20e-07"),
        (1e9, "1.00e+09"),
        (None, "–"),
        (math.nan, "–"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
    ],
)
def test_number(value: float | None, text: str) -> None:
    assert number(value) == text


@given(st.floats(-1e300, 1e300) | st.sampled_from([math.nan, math.inf, -math.inf]))
def test_every_number_reads_back(value: float) -> None:
    text = number(value).replace("−", "-").replace("∞", "inf").replace("–", "nan")
    assert float(text) == pytest.approx(value, rel=6e-3, abs=5e-5, nan_ok=True)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_gain_shows_its_sign(value: float) -> None:
    assert signed(value)[0] == ("+" if value > 0 else "−" if value < 0 else signed(value)[0])


def test_a_spread_has_the_decimals_of_its_mean() -> None:
    assert alike(0.00456, "0.1163") == "0.0046"
    assert alike(3.14159, "12.346") == "3.142"
    assert alike(2e-8, "3.20e-07") == "2e-08"


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [(0.0072, 0.0249, "+0.007 to +0.025"), (-1.0, 12.0, "−1.0 to +12.0"), (-0.00012, 0.00034, "−0.00012 to +0.00034")],
)
def test_interval(low: float, high: float, text: str) -> None:
    found = Difference((low + high) / 2, low, high, 0.95, (low, high), "no difference")
    assert in_language(interval(found), "en") == text


def test_interval_of_one_seed_is_unknown() -> None:
    found = Difference(0.1, -math.inf, math.inf, 0.95, (0.1,), "no difference")
    assert in_language(interval(found), "en") == "unknown (one seed)"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (9.96, "10.0 s"), (42.4, "42 s"), (59.6, "1 min 0 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")],
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds).text("en") == text
