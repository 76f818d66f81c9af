"""The command: formats, exit codes, fixes, languages."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sukima.auditing.registry import all_rules
from sukima.base.messages import language
from sukima.cli.app import app

BAD = all_rules()["SK101"].bad
ADVICE = all_rules()["SK303"].bad
RUNNER = CliRunner()


def run(*arguments: str) -> tuple[int, str]:
    with language("en"):
        result = RUNNER.invoke(app, ["audit", *arguments])
    return result.exit_code, result.stdout


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    path = tmp_path / "model.py"
    path.write_text(BAD)
    return path


def test_json(bad: Path) -> None:
    status, text = run(str(bad), "--json")
    assert status == 1
    (finding,) = json.loads(text)
    assert list(finding) == ["code", "severity", "path", "line", "site", "message", "fix"]
    assert (finding["code"], finding["severity"], finding["path"], finding["site"]) == (
        "SK101",
        "error",
        str(bad),
        "Net.forward",
    )
    assert BAD.splitlines()[finding["line"] - 1].strip().startswith("x = F.dropout")


def test_clean_files_give_an_empty_list(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    assert run(str(tmp_path), "--json") == (0, "[]\n")


def test_advice_does_not_fail(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(ADVICE)
    status, text = run(str(tmp_path), "--json")
    assert status == 0
    assert [f["code"] for f in json.loads(text)] == ["SK303"]


def test_select_and_ignore(bad: Path) -> None:
    assert run(str(bad), "--ignore", "SK101", "--json") == (0, "[]\n")
    assert run(str(bad), "--select", "SK2,SK3", "--json") == (0, "[]\n")


def test_lines(bad: Path) -> None:
    _, text = run(str(bad), "--format", "lines")
    assert text.startswith(f"{bad}:12:13: SK101 ")


def test_github(bad: Path) -> None:
    _, text = run(str(bad), "--format", "github")
    assert text.startswith("::error file=")
    assert "title=SK101::" in text
    assert text.count("\n") == 1  # what to do stands on a line of its own, which GitHub writes as %0A
    assert "%0A" in text


def test_sarif(bad: Path) -> None:
    document = json.loads(run(str(bad), "--format", "sarif")[1])
    (result,) = document["runs"][0]["results"]
    rule = document["runs"][0]["tool"]["driver"]["rules"][result["ruleIndex"]]
    assert document["version"] == "2.1.0"
    assert rule["id"] == result["ruleId"] == "SK101"
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 12, "startColumn": 13}


def test_terminal_shows_the_line(bad: Path) -> None:
    _, text = run(str(bad))
    assert "x = F.dropout(F.relu(self.fc1(x)), 0.5)" in text
    assert "1 error," in text


def test_the_summary_counts(bad: Path) -> None:
    assert "1 file: 1 error, 0 warnings, 0 pieces of advice" in run(str(bad))[1]


def test_the_report_is_a_page_of_its_own(bad: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert run(str(bad), "-o", str(page), "--json")[0] == 1
    text = page.read_text(encoding="utf-8")
    assert "SK101" in text
    assert "<script src=" not in text
    bad.write_text("print(1)\n")
    assert run(str(bad), "-o", str(page))[0] == 0
    assert "SK101" not in page.read_text(encoding="utf-8")


def test_sarif_has_what_its_schema_requires(bad: Path) -> None:
    (result,) = json.loads(run(str(bad), "--format", "sarif")[1])["runs"][0]["results"]
    assert set(result) >= {"ruleId", "level", "message", "locations"}
    assert result["level"] in {"none", "note", "warning", "error"}
    assert result["message"]["text"]


def test_every_rule_explains_itself() -> None:
    status, listed = run("--explain", "all")
    assert status == 0
    for code in (line.split()[0] for line in listed.splitlines()):
        status, text = run("--explain", code)
        assert status == 0
        assert code in text


def test_diff_changes_nothing_and_fix_does(bad: Path) -> None:
    status, text = run(str(bad), "--diff")
    assert status == 1
    assert "+        x = F.dropout(F.relu(self.fc1(x)), 0.5, training=self.training)" in text
    assert bad.read_text() == BAD
    assert run(str(bad), "--fix")[0] == 0
    assert run(str(bad), "--json") == (0, "[]\n")


@pytest.mark.parametrize("code", ["SK101", "functional-dropout-always-on"])
def test_explain(code: str) -> None:
    status, text = run("--explain", code)
    assert status == 0
    assert "SK101 functional-dropout-always-on" in text


def test_explain_all_lists_every_rule() -> None:
    _, text = run("--explain", "all")
    assert all(code in text for code in all_rules())


def program(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    code = "import sys; from sukima.cli import main; main()"
    known = {"PYTHONPATH": ":".join(sys.path), "LANG": "C.UTF-8", **environment}
    command = [sys.executable, "-c", code, "audit", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=known)


def test_wrong_use_exits_with_two(tmp_path: Path) -> None:
    for arguments in ([], [str(tmp_path / "gone.py")], ["--select", "SK9", str(tmp_path)], ["--explain", "SK999"]):
        done = program(*arguments)
        assert done.returncode == 2, arguments
        assert done.stderr.count("\n") == 1


def test_japanese(bad: Path) -> None:
    done = program(str(bad), "--json", "--lang", "ja")
    assert done.returncode == 1
    assert "training= が渡されていない" in json.loads(done.stdout)[0]["message"]


def test_reading_imports_no_framework(bad: Path) -> None:
    code = (
        "import sys; sys.argv = ['sukima', 'audit', sys.argv[1]]\nfrom sukima.cli import main\ntry:\n    main()\n"
        "finally:\n    assert not {'torch', 'keras', 'numba', 'scipy'} & sys.modules.keys()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(bad)],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert done.returncode == 1, done.stderr
    assert "Assertion" not in done.stderr


def test_live_model(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    path = tmp_path / "live.py"
    path.write_text(
        "import torch.nn as nn\n\ndef build():\n"
        "    return nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2), nn.Dropout(0.5))\n"
    )
    status, text = run(f"{path}:build", "--json")
    assert status == 1
    assert [(f["code"], f["site"], f["path"]) for f in json.loads(text)] == [("SK111", "3", None)]
