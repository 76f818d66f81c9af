"""Writing a report: by record, by suffix, and what goes wrong."""

import html
import json
from pathlib import Path
from types import ModuleType

import pytest

from sukima.base.errors import InputError
from sukima.base.messages import language
from sukima.records.saved import load_result
from sukima.reporting import write_report
from sukima.reporting.json import to_json


def test_page_and_json_by_suffix(examples: ModuleType, tmp_path: Path) -> None:
    result = examples.tune_result()
    with language("en"):
        page = write_report(result, tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.startswith('<!doctype html>\n<html lang="en">')
    assert json.loads(write_report(result, tmp_path / "report.json").read_text(encoding="utf-8"))["kind"] == "tune"


@pytest.mark.parametrize("kind", ["tune_result", "comparison"])
def test_page_can_be_drawn_again_from_the_json(examples: ModuleType, tmp_path: Path, kind: str) -> None:
    result = getattr(examples, kind)()
    again = load_result(write_report(result, tmp_path / "report.json"))
    first, second = (write_report(one, tmp_path / "report.html").read_text("utf-8") for one in (result, again))
    assert first == second


@pytest.mark.parametrize("name", ["no/such/folder/report.html", "", "report.pdf", "report"])
def test_unwritable_path_is_one_line(examples: ModuleType, tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError) as error:
        write_report(examples.tune_result(), tmp_path / name)
    assert "\n" not in str(error.value)
    assert str(tmp_path) in str(error.value)


@pytest.mark.parametrize("result", [None, 3, "digits", "", [1], {}, {1}])
def test_what_is_no_result_is_refused(result: object, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="result must be what tune, compare, diagnose or audit returned, got"):
        write_report(result, tmp_path / "report.html")  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["tune_result", "comparison"])
def test_results_show_themselves_in_notebooks(examples: ModuleType, kind: str) -> None:
    result = getattr(examples, kind)(task="<script>") if kind == "tune_result" else examples.comparison()
    frame = result._repr_html_()
    assert frame.startswith("<iframe srcdoc=")
    assert frame.count("<") == frame.count(">") == 2
    assert html.unescape(frame.split('srcdoc="')[1].split('" sandbox')[0]).startswith("<!doctype html>")


def test_tune_for_machines(examples: ModuleType) -> None:
    result = examples.tune_result()
    found = json.loads(to_json(result))
    assert found["recipe"] == {"rates": {"1": 0.5, "3": 0.3}}
    assert found["baseline"]["verdict"]["verdict"] == "overfitting"
    assert [candidate["name"] for candidate in found["candidates"]] == ["none"]
    assert found["test"]["data"] == "test"
    assert found["test"]["differences"]["tuned"]["outcome"] == "better"
    assert found["test"]["arms"]["tuned"]["loss"] == [t.test.loss for t in result.comparison.arm("tuned").trials]
    assert found["setup"]["learning_rate"] == 0.002
    assert found["cost"] == {"seconds": 43.2, "trials": 96, "epochs": 3120, "full_trainings": 0.0}


def test_compare_for_machines(examples: ModuleType) -> None:
    found = json.loads(to_json(examples.comparison()))
    assert [candidate["name"] for candidate in found["candidates"]] == ["none", "guideline", "tuned"]
    assert found["recipe"] == {"rates": {"1": 0.5, "3": 0.3}}
    assert json.loads(to_json(examples.comparison(0.0)))["recipe"] == {}


def test_diagnose_for_machines(examples: ModuleType) -> None:
    found = json.loads(to_json([(examples.verdict("log.csv"), examples.history(1))]))
    assert set(found[0]) == {"source", "verdict", "onset_epoch", "gap", "confidence", "evidence", "advice"}
    assert found[0]["source"] == "log.csv"


def test_numbers_that_are_not_finite_become_null(examples: ModuleType) -> None:
    one_seed = examples.comparison()
    one_seed.differences["tuned"] = examples.difference([0.1], float("inf"))
    found = json.loads(to_json(one_seed))["test"]["differences"]["tuned"]
    assert found["low"] is None
    assert found["high"] is None
