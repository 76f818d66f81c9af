"""The README's examples run, and both languages show the same code and commands."""

import contextlib
import io
import re
from pathlib import Path

import pytest

pytest.importorskip("sklearn", reason="the examples use scikit-learn's data")

ROOT = Path(__file__).parent.parent
READMES = ("README.md", "README.ja.md")


def blocks(name: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / name).read_text(encoding="utf-8"), re.DOTALL)


def without_comments(code: str) -> str:
    return re.sub(r"\s*#.*", "", code)


def test_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = READMES[0]  # the other has the same code, which the next test sees to
    monkeypatch.chdir(tmp_path)
    shown = io.StringIO()
    names: dict[str, object] = {}
    with contextlib.redirect_stdout(shown):
        for code in blocks(name, "python"):
            exec(compile(code, name, "exec"), names)
    assert (tmp_path / "report.html").stat().st_size > 10_000
    assert (tmp_path / "recipe.toml").exists()
    assert "overfitting" in shown.getvalue()


def test_both_languages_show_the_same() -> None:
    english, japanese = READMES
    assert len(blocks(english, "python")) == 5
    assert [without_comments(c) for c in blocks(english, "python")] == [
        without_comments(c) for c in blocks(japanese, "python")
    ]
    assert blocks(english, "sh") == blocks(japanese, "sh")


@pytest.mark.parametrize("name", READMES)
def test_pictures_and_links_exist(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in target]
    assert targets
    assert not [target for target in targets if not (ROOT / target).exists()]
