"""Signals against curves whose answer is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sukima.diagnosis.curves import Curves
from sukima.diagnosis.evidence import evidence_for
from sukima.diagnosis.features import FEATURES, features_of, pooled_features
from sukima.diagnosis.signals.coupling import follows
from sukima.diagnosis.signals.disagreement import accuracy_lost
from sukima.diagnosis.signals.divergence import has_diverged
from sukima.diagnosis.signals.dropout_on import share_below_training
from sukima.diagnosis.signals.extrapolation import extrapolate
from sukima.diagnosis.signals.gap import gap_at_end, gap_trend
from sukima.diagnosis.signals.guessing import beyond_guessing
from sukima.diagnosis.signals.kink import kinks
from sukima.diagnosis.signals.learning_rate import drops, rate_left
from sukima.diagnosis.signals.noise import noise_level, quieting
from sukima.diagnosis.signals.onset import turn_of
from sukima.diagnosis.signals.plateau import plateau_since
from sukima.diagnosis.signals.progress import end_trend
from sukima.diagnosis.signals.scale import scale_factor
from sukima.diagnosis.signals.smoothing import leverage, smooth
from sukima.diagnosis.signals.tripling import tripling
from sukima.diagnosis.signals.validation_size import binomial_interval, rows_behind
from sukima.diagnosis.signals.windows import best_epoch_of, windows_of

EPOCH = np.arange(1, 61, dtype=float)
FALL = 2 * np.exp(-EPOCH / 8) + 0.3


def noise(scale: float, count: int = 60, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, scale, count)


@pytest.mark.parametrize("scale", [0.01, 0.1])
def test_noise_is_measured_whatever_the_slope(scale: float) -> None:
    found = [noise_level(5 - 0.02 * np.arange(400) + noise(scale, 400, seed)) for seed in range(10)]
    assert np.mean(found) == pytest.approx(scale, rel=0.1)


def test_a_straight_line_has_no_noise_and_smoothing_leaves_it() -> None:
    line = 3 - 0.01 * EPOCH
    assert noise_level(line) == pytest.approx(0, abs=1e-12)
    assert smooth(line) == pytest.approx(line)


def test_leverage_is_the_variance_that_smoothing_leaves() -> None:
    smoothed = np.array([smooth(noise(1.0, 60, seed)) for seed in range(2000)])
    assert smoothed.var(axis=0) == pytest.approx(leverage(60), rel=0.25)


@pytest.mark.parametrize("seed", range(5))
def test_the_turn_is_found_under_noise(seed: int) -> None:
    turn = turn_of(FALL + 0.01 * np.maximum(0, EPOCH - 30) + noise(0.01, seed=seed))
    assert abs(turn.index + 1 - 30) <= 3
    assert turn.sigmas > 5
    assert turn.rise == pytest.approx(0.25, abs=0.06)


def test_a_curve_that_only_falls_has_not_turned() -> None:
    assert turn_of(FALL).rise == 0
    rises = [turn_of(FALL + noise(0.02, seed=seed)).sigmas for seed in range(200)]
    assert np.mean(np.array(rises) > 4) < 0.05


def test_gap_and_its_trend() -> None:
    assert gap_at_end(FALL, FALL + 0.2) == pytest.approx(0.2)
    assert gap_trend(FALL, FALL + 0.1 * np.log(EPOCH)).slope == pytest.approx(0.1)


def test_end_trend_against_the_logarithm_of_time() -> None:
    trend = end_trend(2 - 0.3 * np.log(EPOCH))
    assert trend.slope == pytest.approx(-0.3)
    assert trend.gain(3) == pytest.approx(0.3 * np.log(3))


def test_divergence_asks_for_more_than_noise() -> None:
    assert has_diverged(1 + 0.1 * EPOCH)
    assert not has_diverged(FALL)
    assert not has_diverged(1 + noise(0.05))


def test_validation_below_training() -> None:
    assert share_below_training(FALL, FALL - 0.1) == 1
    assert share_below_training(FALL, FALL + 0.1) == 0


def test_accuracy_that_holds() -> None:
    lost, _ = accuracy_lost(np.full(60, 0.9), 20)
    assert lost == pytest.approx(0)
    lost, _ = accuracy_lost(0.9 - 0.005 * np.maximum(0, EPOCH - 20), 20)
    assert lost == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize("factor", [1 / 32, 10, 100])
def test_another_scale_is_recognised_and_a_gap_is_not(factor: float) -> None:
    validation = FALL * np.exp(noise(0.02))
    found = scale_factor(FALL, factor * validation)
    assert found is not None
    assert found == pytest.approx(factor, rel=0.1)
    assert scale_factor(FALL, validation + 0.5) is None
    assert scale_factor(0.01 + 2 * np.exp(-EPOCH / 5), 1.5 + 0.5 * np.exp(-EPOCH / 5)) is None


def test_a_kink_is_found_where_the_rate_drops() -> None:
    curve = 1.5 - 0.002 * EPOCH
    curve[30:] -= 0.3
    assert kinks(curve) == [30]
    assert kinks(FALL) == []


def test_quieting() -> None:
    curve = FALL + noise(0.05)
    curve[40:] = 0.3 + noise(0.001, 20)
    assert quieting(curve) > 2
    assert abs(quieting(FALL + noise(0.05, seed=3))) < 1


def test_plateau() -> None:
    long = 2 * np.exp(-np.arange(1, 201) / 8) + 0.3
    since = plateau_since(long + noise(0.005, 200))
    assert since is not None
    assert 20 <= since <= 60
    assert plateau_since(3 - 0.01 * EPOCH) is None


def test_guessing() -> None:
    assert beyond_guessing(np.full(10, 2.5), np.full(10, 0.1)) == pytest.approx(2.5 - np.log(10))
    assert beyond_guessing(np.full(10, 0.1), np.full(10, 0.95)) is None


@pytest.mark.parametrize("rows", [37, 150, 360])
def test_the_number_of_rows_behind_accuracies(rows: int) -> None:
    rng = np.random.default_rng(rows)
    shares = rng.choice(np.arange(rows // 2, rows), 30, replace=rows <= 70) / rows
    assert rows_behind(np.round(shares, 6)) == rows
    assert rows_behind(rng.random(30)) is None
    assert rows_behind(np.array([0.5, 0.6])) is None


def test_wilson_interval() -> None:
    low, high = binomial_interval(0.9, 100)
    assert (low, high) == pytest.approx((0.8256, 0.9448), abs=1e-4)
    assert binomial_interval(1.0, 10)[1] == 1


def test_forecast_of_shapes_that_it_knows() -> None:
    power = 0.2 + EPOCH**-0.5
    forecast = extrapolate(power, 120)
    assert forecast.gain == pytest.approx(60**-0.5 - 180**-0.5, rel=0.1)
    low, high = forecast.interval
    assert low < 60**-0.5 - 180**-0.5 < high
    assert extrapolate(np.full(60, 0.5), 60).gain == pytest.approx(0, abs=1e-6)
    assert extrapolate(0.5 + 0.05 * np.log(EPOCH), 60).gain < 0


finite = st.floats(-1e6, 1e6, allow_nan=False)


@settings(deadline=None)  # the first call prepares shapes that later ones share
@given(st.lists(st.tuples(finite, finite), min_size=4, max_size=60))
def test_features_are_finite_for_any_finite_curves(rows: list[tuple[float, float]]) -> None:
    train, validation = (np.array(column) for column in zip(*rows, strict=True))
    curves = Curves(train, validation, np.arange(1, len(rows) + 1), True, np.empty(0), np.empty(0))
    found = features_of(curves)
    assert tuple(found) == FEATURES
    assert np.isfinite(list(found.values())).all()
    assert pooled_features([curves, curves])[FEATURES.index("gap")] == pytest.approx(found["gap"])


def test_drops_of_the_learning_rate() -> None:
    steps = np.array([0.1] * 20 + [0.01] * 20 + [0.005] * 20)
    assert drops(steps) == [20, 40]
    assert rate_left(steps) == pytest.approx(0.05)
    cosine = 0.1 * (1 + np.cos(np.pi * EPOCH / 80))
    assert drops(cosine) == []
    assert drops(np.empty(0)) == []
    assert rate_left(np.empty(0)) == 1


def said(learning_rate: np.ndarray) -> str:
    train = 1 / EPOCH**0.2 - np.where(EPOCH > 30, 0.3, 0.0)
    run = Curves(train, train + 0.1, EPOCH.astype(int), True, np.empty(0), np.empty(0), learning_rate=learning_rate)
    return "\n".join(message.text("en") for message in evidence_for("healthy", [run]))


def test_a_kink_is_explained_by_the_learning_rate_or_not() -> None:
    lowered = np.where(EPOCH > 30, 0.01, 0.1)
    assert "suddenly at epoch 31, where the learning rate went from 0.1 to 0.01" in said(lowered)
    assert "suddenly at epoch 31, and the learning rate does not explain it" in said(np.full(60, 0.1))
    assert "suddenly at epoch 31, as when the learning rate is lowered" in said(np.empty(0))


def test_windows_say_how_far_the_end_lies_above_the_best() -> None:
    falling = windows_of(np.linspace(2, 1, 50))
    assert falling.rise == 0
    assert falling.at == pytest.approx(0.95, abs=0.02)
    turned = windows_of(np.concatenate([np.linspace(2, 1, 25), np.linspace(1, 1.5, 25)]))
    assert turned.rise == pytest.approx(0.43, abs=0.03)
    assert turned.at == pytest.approx(0.5, abs=0.05)
    assert windows_of(np.array([3.0, 1.0, 2.0])) == (1.0, -1.0, pytest.approx(2 / 3))


@pytest.mark.parametrize("count", [4, 5, 17, 60, 600])
def test_the_best_epoch_is_the_turn_of_a_curve_without_noise(count: int) -> None:
    epoch = np.arange(1.0, count + 1)
    curves = Curves(epoch, np.abs(epoch - 0.7 * count), epoch.astype(np.int64), True, np.empty(0), np.empty(0))
    assert best_epoch_of([curves]) == pytest.approx(0.7 * count, abs=max(1, 0.02 * count))
    assert best_epoch_of([curves, curves, curves]) == best_epoch_of([curves])


def test_a_power_law_falls_alike_with_each_tripling() -> None:
    curve = np.arange(1.0, 274) ** -0.5
    found = tripling(curve, float(curve[-1]))
    assert found.last == pytest.approx(91**-0.5 - 273**-0.5, rel=0.02)
    assert found.next == pytest.approx(273**-0.5 - 819**-0.5, rel=0.05)
    assert tripling(curve[::-1], 1.0).next < 0


@pytest.mark.parametrize("slope", [1.0, 0.0, -0.3])
def test_validation_follows_training_or_not(slope: float) -> None:
    train = np.exp(-np.arange(40) / 10)
    assert follows(train, 0.5 + slope * train, 0.5) == pytest.approx(slope, abs=1e-9)
    assert follows(np.ones(5), train[:5], 0.5) == 0
