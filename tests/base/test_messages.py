"""Every text has its Japanese, with the same values in it."""

import ast
import string
from pathlib import Path

import pytest

import sukima
from sukima.base.japanese import CATALOGUE
from sukima.base.messages import Message, current_language, language, say, set_language

SOURCE = Path(sukima.__file__).parent
MAKERS = {"say", "Message", "SukimaError", "InputError", "MissingDependencyError", "StudyPausedError"}


def templates() -> dict[str, str]:
    """Template → where it stands, for every literal first argument of a call that makes a text."""
    found = {}
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            first = node.args[0]
            if called in MAKERS and isinstance(first, ast.Constant) and isinstance(first.value, str):
                found[first.value] = f"{path.relative_to(SOURCE)}:{node.lineno}"
    return found


def fields(template: str) -> set[str]:
    return {name.split(".")[0].split("[")[0] for _, name, _, _ in string.Formatter().parse(template) if name}


def test_every_text_has_its_japanese() -> None:
    missing = [f"{where}: {text}" for text, where in templates().items() if text not in CATALOGUE]
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize("template", sorted(CATALOGUE))
def test_both_languages_name_the_same_values(template: str) -> None:
    assert fields(CATALOGUE[template]) == fields(template)


def test_language_is_chosen_when_shown() -> None:
    message = say("{name} must be {expected}, got {value}", name="p", expected="in [0, 1]", value=1.5)
    with language("en"):
        assert str(message) == "p must be in [0, 1], got 1.5"
    with language("ja"):
        assert str(message) == "p は in [0, 1] でなければなりません（指定値: 1.5）"
    assert message.text("en") != message.text("ja")


def test_values_may_be_messages() -> None:
    inner = say("{name} must be {expected}, got {value}", name="a", expected="b", value="c")
    assert Message("<{inner}>", {"inner": inner}).text("ja") == f"<{inner.text('ja')}>"


def test_locale_decides_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    set_language(None)
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.delenv("LC_MESSAGES", raising=False)
    monkeypatch.setenv("LANG", "ja_JP.UTF-8")
    assert current_language() == "ja"
    monkeypatch.setenv("LANG", "C.UTF-8")
    assert current_language() == "en"
