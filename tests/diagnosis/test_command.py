"""``sukima diagnose`` from the file to the exit code."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sukima.base.messages import language
from sukima.cli.app import app
from sukima.cli.diagnose import mapping_of
from sukima.records.history import History
from sukima.records.recipe import Recipe

Make = Callable[..., History]
runner = CliRunner()


@pytest.fixture
def file(history: Make, tmp_path: Path) -> Path:
    run = history(rise=0.01, turn=25)
    path = tmp_path / "run.csv"
    rows = zip(run.train_loss, run.validation_loss, strict=True)
    path.write_text("epoch,a,b\n" + "\n".join(f"{i},{t},{v}" for i, (t, v) in enumerate(rows, 1)))
    return path


def test_json_for_machines_and_what_was_understood(file: Path) -> None:
    result = runner.invoke(app, ["diagnose", str(file), "--map", "train=a,val=b", "--json", "--lang", "en"])
    assert result.exit_code == 0, result.output
    (found,) = json.loads(result.stdout)
    assert found["verdict"] == "overfitting"
    assert found["source"] == str(file)
    assert {"onset_epoch", "confidence", "evidence", "advice"} <= found.keys()
    assert "'a'" in result.stderr


def test_check_page_picture_and_next_recipe(file: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    (tmp_path / "now.toml").write_text('[rates]\n"fc" = 0.3\n')
    arguments = ["diagnose", str(file), "--map", "train=a,val=b", "--check", "--recipe", str(tmp_path / "now.toml")]
    for option, name in (("--plot", "p.svg"), ("--next", "next.toml"), ("-o", "page.html")):
        arguments += [option, str(tmp_path / name)]
    result = runner.invoke(app, arguments)
    assert result.exit_code == 1, result.output
    assert Recipe.load(tmp_path / "next.toml").rates == {"fc": 0.5}
    assert (tmp_path / "p.svg").exists()
    assert "<html" in (tmp_path / "page.html").read_text()


def test_advice_in_japanese_is_neither_cut_nor_parted_from_its_dot(file: Path, monkeypatch) -> None:
    monkeypatch.chdir(file.parent)  # the name of the file is part of what is printed
    with language("ja"):
        result = runner.invoke(app, ["diagnose", file.name, "--map", "train=a,val=b"])
    lines = [line.rstrip() for line in result.stdout.splitlines()]
    assert "•" not in lines
    assert "…" not in result.stdout
    assert "どれが効くかを示せます" in "".join(line.strip() for line in lines)


def test_seeds_are_pooled_on_request(file: Path) -> None:
    result = runner.invoke(app, ["diagnose", str(file), str(file), "--pool", "--map", "train=a,val=b", "--json"])
    assert len(json.loads(result.stdout)) == 1


@pytest.mark.parametrize("text", ["", "train", "train=", "train=a,b"])
def test_a_mapping_has_a_form(text: str) -> None:
    with pytest.raises(ValueError, match="--map"):
        mapping_of(text)


def test_a_wrong_path_is_told_before_anything_is_read(tmp_path: Path) -> None:
    result = runner.invoke(app, ["diagnose", "nowhere.csv", "--plot", str(tmp_path / "x.gif")])
    assert "picture" in str(result.exception)
