"""What is seen on a terminal while the work goes on."""

import io
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from sukima.base.messages import say
from sukima.engines import bar as module
from sukima.engines.bar import Bar, sparkline
from sukima.records.history import History
from sukima.records.recipe import Recipe
from sukima.records.result import Score, Trial


def trial(rate: float, seed: int, loss: float) -> Trial:
    curve = [loss + 1 / epoch for epoch in range(1, 31)]
    history = History(train_loss=curve, validation_loss=curve)
    return Trial(Recipe(rates={"[red]fc1": rate}), seed, history, 30, Score(loss), Score(loss))


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    stream = io.StringIO()
    made = lambda **_: Console(file=stream, force_terminal=True, width=120, legacy_windows=False)  # noqa: E731
    monkeypatch.setattr(module, "Console", made)
    return stream


def test_the_best_candidates_are_shown_with_their_curves(screen: io.StringIO) -> None:
    with Bar() as bar:
        bar.budget(125)
        bar.stage("baseline", 2)
        for rate, loss in ((0.0, 0.9), (0.4, 0.5)):
            for seed in range(2):
                done = trial(rate, seed, loss + 0.01 * seed)
                bar.epoch(done.history, 30)
                bar.trial(done)
        bar.stage("search", 0)
        for number in range(12):
            bar.trial(trial(0.05 * number, 5, 0.6 + 0.01 * number))
        bar.note(say("Training"))
        bar._live.refresh()
        table = bar._table()
    losses = list(table.columns[1].cells)
    assert [str(cell) for cell in losses] == sorted(str(cell) for cell in losses)
    assert str(losses[0]).startswith("0.5")
    shown = screen.getvalue()
    assert "[red]fc1:0.4" in shown  # names are not markup
    assert "2 min" in shown
    assert "▁" in shown


def test_without_a_stage_a_training_shows_itself(screen: io.StringIO) -> None:
    with Bar() as bar, bar:
        bar.epoch(trial(0.1, 0, 0.5).history, 30)
        bar.trial(trial(0.1, 0, 0.5))
    assert "100%" in screen.getvalue()


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=200))
def test_a_sparkline_is_short_and_its_lowest_point_is_low(values: list[float]) -> None:
    line = sparkline(values)
    assert len(line) <= 24
    assert set(line) <= set("▁▂▃▄▅▆▇█")
    finite = [value for value in values if math.isfinite(value)]
    assert bool(line) == bool(finite)
    if line:
        assert "▁" in line
