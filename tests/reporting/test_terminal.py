"""The report in a terminal."""

import io
from types import ModuleType

import pytest
from rich.cells import cell_len
from rich.console import Console

from sukima.base.messages import language
from sukima.reporting.document import comparison_document, diagnosis_document, tune_document
from sukima.reporting.terminal import interval_picture, print_document, sparkline


def printed(document: object, width: int = 80, lang: str = "en", *, full: bool = False) -> str:
    out = io.StringIO()
    with language(lang):  # type: ignore[arg-type]
        print_document(document, Console(file=out, width=width), full=full)  # type: ignore[arg-type]
    return out.getvalue()


@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize("width", [60, 80, 140])
@pytest.mark.parametrize("full", [False, True])
def test_everything_fits(examples: ModuleType, lang: str, width: int, full: bool) -> None:
    for document in (
        tune_document(examples.tune_result()),
        comparison_document(examples.comparison()),
        diagnosis_document([(examples.verdict("a.csv"), examples.history(1))]),
    ):
        lines = printed(document, width, lang, full=full).splitlines()
        assert max(map(cell_len, lines)) <= width


def test_answer_first_and_code_to_paste(examples: ModuleType) -> None:
    text = printed(tune_document(examples.tune_result()))
    assert text.index("Yes, it helps") < text.index("Overfitting from epoch 14") < text.index("import sukima")
    assert "no difference" not in text
    assert "…" not in text


def test_names_cannot_steer_the_terminal(examples: ModuleType) -> None:
    text = printed(tune_document(examples.tune_result(task="[red]\x1b[2J", model="[bold]x")), full=True)
    assert "\x1b" not in text
    assert "[red]" in text
    assert r"\x1b[2J" in text


@pytest.mark.parametrize(
    ("values", "picture"),
    [([0.0, 0.5, 1.0], "▁▅█"), ([float("nan"), 2.0, -1.0], " █▁"), ([], "")],
)
def test_sparkline(values: list[float], picture: str) -> None:
    assert sparkline(values, 0.0, 1.0) == picture


def test_interval_picture() -> None:
    assert interval_picture(1, 2, 3, -1, 3, width=9) == "  │ ├─●─┤"
    assert interval_picture(-1, 1, 3, -1, 3, width=9) == "├─┼─●───┤"
    assert interval_picture(float("-inf"), 1, float("inf"), -1, 3, width=9) == "  │ ●    "
