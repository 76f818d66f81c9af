"""Names as a reader may safely see them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sukima.base.messages import say
from sukima.reporting.text import in_language, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("layers.2", "layers.2"),
        ("日本語 é", "日本語 é"),
        ("a\tb\n", r"a\tb\n"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("\u202egpj.exe", r"\u202egpj.exe"),
        ("\u2028", r"\u2028"),
        ("\ud800", r"\ud800"),
        ("👩\u200d🔬", "👩\u200d🔬"),
    ],
)
def test_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text(st.characters()))
def test_what_is_shown_is_printable_and_stays_so(text: str) -> None:
    shown = visible(text)
    shown.encode("utf-8")
    assert not set(shown) & set("\x00\x07\x1b\r\n\u202e\u2066\u200f")
    assert visible(shown) == shown


def test_lines_are_kept_on_request() -> None:
    assert visible("a\nb\r", lines=True) == "a\nb\\r"


def test_values_of_a_message_are_made_visible() -> None:
    message = say("{path}: no permission to write there", path=Path("a\x1b[2Jb"))
    assert in_language(message, "en") == r"a\x1b[2Jb: no permission to write there"


def test_right_to_left_names_are_isolated_in_a_sentence() -> None:
    message = say("Site {site}", site="עברית")
    assert in_language(message, "en") == "Site \u2068עברית\u2069"
    assert in_language(say("Site {site}", site="fc1"), "ja") == "サイト fc1"


def test_numbers_keep_the_format_of_the_template() -> None:
    assert in_language(say("{seconds} s", seconds=3), "ja") == "3 秒"
