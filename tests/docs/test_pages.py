"""The documentation's pages: their code runs, both languages show the same, and every page stands in the menu."""

import ast
import contextlib
import io
import re
import textwrap
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

pytest.importorskip("sklearn", reason="the examples use scikit-learn's data")
pytest.importorskip("torch", reason="the examples use torch")

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
TAUGHT = sorted(path for folder in ("course", "how-to") for path in (DOCS / folder).glob("*.md"))
ENGLISH = [path for path in TAUGHT if not path.name.endswith(".ja.md")]


def blocks(path: Path, language: str) -> list[str]:
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [textwrap.dedent(code) for _, code in found]


def name(path: Path) -> str:
    return str(path.relative_to(DOCS))


@pytest.mark.parametrize("page", ENGLISH, ids=name)
def test_code_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    names: dict[str, object] = {"__name__": "__main__"}
    with contextlib.redirect_stdout(io.StringIO()):
        for code in blocks(page, "python"):
            needs = re.match(r"# needs: (\w+)", code)
            if needs and find_spec(needs[1]) is None:
                pytest.skip(f"{needs[1]} is not installed")
            exec(compile(code, name(page), "exec"), names)


@pytest.mark.parametrize("page", ENGLISH, ids=name)
def test_both_languages_show_the_same_code(page: Path) -> None:
    other = page.with_suffix(".ja.md")
    pairs = zip(blocks(page, "python"), blocks(other, "python"), strict=True)
    assert all(ast.dump(ast.parse(a)) == ast.dump(ast.parse(b)) for a, b in pairs)
    assert [re.sub(r"\s*#.*", "", code) for code in blocks(page, "sh")] == [
        re.sub(r"\s*#.*", "", code) for code in blocks(other, "sh")
    ]


def test_the_quiz_is_right() -> None:
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        exec(blocks(DOCS / "course/quiz.md", "python")[0], {})
    verdicts = [line.split()[-1] for line in shown.getvalue().splitlines()]
    assert verdicts[1] == "overfitting"
    assert "overfitting" not in (verdicts[0], verdicts[2], verdicts[3])


def pages() -> Iterator[str]:
    for path in DOCS.rglob("*.md"):
        if not path.name.endswith(".ja.md"):
            yield name(path)


def test_every_page_is_in_the_menu() -> None:
    menu = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:")[2]
    listed = re.findall(r"[\w./-]+\.md", menu)
    assert sorted(listed) == sorted(pages())


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=name)
def test_links_and_pictures_exist(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    own = [target for target in targets if "://" not in target]
    assert not [target for target in own if not (page.parent / target).exists()]


def test_nothing_is_loaded_from_elsewhere() -> None:
    settings = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert "font: false" in settings
    assert "http" not in (DOCS / "stylesheets/extra.css").read_text(encoding="utf-8")
