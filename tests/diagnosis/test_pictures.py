"""Pictures are written, whatever the source is called."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sukima.base.errors import InputError
from sukima.diagnosis import judge
from sukima.diagnosis.pictures import draw
from sukima.records.history import History

pytest.importorskip("matplotlib", reason="matplotlib is not installed")
Make = Callable[..., History]


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_one_panel_a_history(history: Make, tmp_path: Path, suffix: str) -> None:
    runs = [history(rise=0.01), history(epochs=20, speed=40), history(epochs=1)]
    judged = [(judge([run], source="$\\frac{1}{<b>"), run) for run in runs]
    path = draw(judged, tmp_path / f"picture{suffix}")
    assert path.stat().st_size > 5_000
    if suffix == ".svg":
        assert "<b>" not in path.read_text()


def test_other_kinds_of_file_are_refused(history: Make, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="picture"):
        draw([], tmp_path / "picture.gif")
    with pytest.raises(InputError, match="folder"):
        draw([], tmp_path / "nowhere" / "picture.png")


def test_the_page_shows_the_forecast_where_the_verdict_rests_on_it(history: Make, tmp_path: Path) -> None:
    from sukima.reporting import write_report

    for run, expected in ((history(epochs=20, speed=40, gap=0.02), True), (history(rise=0.01), False)):
        verdict = judge([run])
        assert (verdict.verdict == "unfinished") is expected
        page = write_report([(verdict, run)], tmp_path / "page.html").read_text(encoding="utf-8")
        assert ("forecast, 95 % interval" in page) is expected
