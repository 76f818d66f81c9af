"""``sukima report``: the page of an earlier result."""

import json
from pathlib import Path
from types import ModuleType

import pytest
from typer.testing import CliRunner

from sukima.base.errors import InputError
from sukima.cli.app import app
from sukima.reporting import write_report


def test_prints_and_writes_the_page(examples: ModuleType, tmp_path: Path) -> None:
    saved = write_report(examples.tune_result(), tmp_path / "result.json")
    page = tmp_path / "page.html"
    done = CliRunner().invoke(app, ["report", str(saved), "-o", str(page), "--lang", "en"])
    assert done.exit_code == 0
    assert "Yes, it helps" in done.output
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_prints_json_again(examples: ModuleType, tmp_path: Path) -> None:
    saved = write_report(examples.comparison(), tmp_path / "result.json")
    done = CliRunner().invoke(app, ["report", str(saved), "--json"])
    assert json.loads(done.stdout)["kind"] == "compare"


@pytest.mark.parametrize("arguments", [["nothing.json"], ["wrong.json"], ["good.json", "-o", "no/folder/page.html"]])
def test_bad_input_is_one_line(
    examples: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wrong.json").write_text("[1]")
    write_report(examples.comparison(), tmp_path / "good.json")
    done = CliRunner().invoke(app, ["report", *arguments])
    assert isinstance(done.exception, InputError)
    assert "\n" not in str(done.exception)
