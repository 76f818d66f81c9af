"""A user's mistake is one line on stderr that names what was expected and what came, and exit code 2."""

from pathlib import Path

import pytest

HEAD = "import numpy as np, sukima, torch\nfrom torch import nn\nx, y = np.ones((8, 3), 'float32'), np.arange(8) % 2\n"
MODEL = "def build():\n    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))\n"


def task_file(folder: Path, **changes: str) -> str:
    """A task file with some of its arguments changed."""
    arguments = {"model": "build", "train": "(x, y)", "validation": "(x, y)", "epochs": "1"} | changes
    text = HEAD + MODEL + f"task = sukima.Task({', '.join(f'{k}={v}' for k, v in arguments.items())})\n"
    (folder / "bad.py").write_text(text)
    return "bad.py"


CHANGES = [
    ({"train": "(x, y[:7])"}, ["bad.py:6", "train", "8", "7"]),
    ({"validation": "(x[:0], y[:0])"}, ["bad.py:6", "validation", "empty"]),
    ({"train": "(x, y + 1)"}, ["[0, 1]", "2"]),
    ({"validation": "(x, y + 7)"}, ["validation", "[0, 1]", "8"]),
    ({"test": "(x, y - 1)"}, ["test", "[0, 1]", "-1"]),
    ({"test": "(x[:, :2], y)"}, ["test", "model", "(8, 2)"]),
    ({"model": "lambda: 3"}, ["model()", "torch.nn.Module", "int"]),
    ({"model": "build()"}, ["bad.py:6", "model", "Sequential"]),
    ({"model": "(lambda made: lambda: made)(build())"}, ["model()", "new"]),
    ({"loss": "'mape'"}, ["loss", "'mse'", "'mape'"]),
    ({"loss": "nn.CrossEntropyLoss"}, ["loss", "CrossEntropyLoss"]),
    ({"loss": "nn.CrossEntropyLoss(reduction='none')"}, ["loss", "(8,)"]),
    ({"metric": "'f1'"}, ["metric", "'accuracy'", "'f1'"]),
    ({"metric": "lambda o, t: o.nothing"}, ["bad.py:6", "metric", "nothing"]),
    ({"optimizer": "'adamax'"}, ["optimizer", "'adamw'", "'adamax'"]),
    ({"optimizer": "lambda p: 3"}, ["optimizer", "int"]),
    ({"learning_rate": "-1"}, ["bad.py:6", "learning_rate", "> 0", "-1"]),
    ({"epochs": "0"}, ["bad.py:6", "epochs", "at least 1", "0"]),
    ({"validation": "1.5"}, ["bad.py:6", "validation", "(0, 1)", "1.5"]),
    ({"train": "(x * np.nan, y)"}, ["train", "finite"]),
    ({"model": "lambda: nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 2))"}, ["model", "(8, 3)"]),
    ({"model": "lambda: nn.Linear(3, 2)"}, ["model", "activations"]),
    ({"model": "lambda: nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))"}, ["classes", "(8, 1)"]),
]


@pytest.mark.parametrize(("changes", "parts"), CHANGES, ids=[str(changes) for changes, _ in CHANGES])
@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_bad_task(folder, called, changes, parts, lang) -> None:
    code, out, err = called("tune", task_file(folder, **changes), "--lang", lang)
    assert (code, out, err.count("\n")) == (2, "", 1), err
    for part in parts if lang == "en" else [part for part in parts if part[0] in "'[-("]:
        assert part in err


RECIPES = [
    ("a.toml", "[rates]\n'9' = 0.5\n", ["'9'", "1", "rates"]),
    ("a.toml", "[rates]\n'1' = 1.5\n", ["a.toml", "rates['1']", "[0, 1]", "1.5"]),
    ("a.toml", "[rates]\n'1' = nan\n", ["a.toml", "rates['1']", "[0, 1]", "nan"]),
    ("a.toml", "[rates]\n'1' = '0.5'\n", ["a.toml", "float", "str"]),
    ("a.toml", "rates = 3", ["a.toml", "object", "int"]),
    ("a.toml", "[rates\n", ["a.toml"]),
    ("a.toml", "[penalties]\n'0' = {kind='l3', strength=1}\n", ["a.toml", "l3"]),
    ("a.toml", "[penalties]\n'7' = {kind='l1', strength=1}\n", ["'7'", "penalties", "0, 2"]),
    ("a.toml", "weight_decay = -1\n", ["a.toml", "weight_decay", ">= 0", "-1"]),
    ("a.toml", "dropout = 1\n", ["a.toml", "dropout"]),
    ("a.json", '{"rates": {"1": 2}}', ["a.json", "rates['1']", "[0, 1]", "2"]),
    ("a.json", '{"rates": {"1": NaN}}', ["a.json"]),
    ("a.toml", None, ["a.toml"]),
    ("a.toml", "[rates]\n'2' = 0.5\n", ["'2'", "output"]),
    ("a.toml", "[options]\nwidth = 3\n", ["width"]),
]


@pytest.mark.parametrize(("name", "text", "parts"), RECIPES)
@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_bad_recipe(folder, called, name, text, parts, lang) -> None:
    if text is not None:
        (folder / name).write_text(text)
    code, out, err = called("compare", "task.py", "--recipe", "none=", "--recipe", f"a={name}", "--lang", lang)
    assert (code, out, err.count("\n")) == (2, "", 1), err
    for part in parts if lang == "en" else parts[:1]:
        assert part in err


FILES = [
    ("import nothing_of_that_name\n", "ModuleNotFoundError"),
    ("def f(:\n", "SyntaxError"),
    ("1 / 0\n", "ZeroDivisionError"),
    ("raise ValueError('one\\ntwo')\n", "one two"),
    ("import sys\nsys.exit(3)\n", "3"),
    ("import sibling\n", "sibling.py:2"),
    ("x = '\0'\n", "null"),
    ("task = 3\n", "Task"),
    ("import sukima\nother = 3\n", "'task'"),
]


@pytest.mark.parametrize(("text", "part"), FILES)
@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_file_that_does_not_run_shows_the_users_line(folder, called, text, part, lang) -> None:
    (folder / "sibling.py").write_text("\nimport os, no_such_thing\n")
    (folder / "broken.py").write_text(text)
    code, out, err = called("tune", "broken.py", "--lang", lang)
    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert part in err
    assert ".py" in err


USAGE = [
    (["tune", "--seeds", "1"], ["--seeds", "2", "'1'"]),
    (["tune", "--seeds=x"], ["--seeds", "2", "'x'"]),
    (["tune", "--nothing"], ["--nothing"]),
    (["wrong"], ["wrong"]),
    (["diagnose"], ["FILE"]),
    (["tune", "--lang", "fr"], ["--lang", "en | ja", "'fr'"]),
    (["tune", "none.py"], ["none.py"]),
    (["tune", "task.py:nothing"], ["'nothing'"]),
    (["tune", "task.py:"], ["task.py:"]),
    (["tune", "."], ["."]),
    (["tune", "--data", "cifar"], ["'digits'", "'cifar'"]),
    (["tune", "task.py", "--data", "digits"], ["--data", "'digits'"]),
    (["tune", "task.py", "--by", "f1"], ["by", "'accuracy'", "'f1'"]),
    (["tune", "task.py", "-o", "none/a.html"], ["none/a.html"]),
    (["tune", "task.py", "-o", "a.pdf"], ["a.pdf", ".html"]),
    (["compare", "task.py", "-o", "."], ["."]),
    (["compare", "task.py", "--recipe", "a"], ["--recipe", "NAME=FILE", "'a'"]),
    (["compare", "task.py", "--runs", "none/x.jsonl"], ["none/x.jsonl"]),
]


@pytest.mark.parametrize(("arguments", "parts"), USAGE, ids=[" ".join(arguments) for arguments, _ in USAGE])
@pytest.mark.parametrize("lang", ["en", "ja"])
def test_wrong_use(folder, called, monkeypatch, arguments, parts, lang) -> None:
    monkeypatch.setenv("LC_ALL", {"en": "C.UTF-8", "ja": "ja_JP.UTF-8"}[lang])
    code, out, err = called(*arguments)
    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert all(part in err for part in parts), err
    assert err.isascii() == (lang == "en")


HISTORIES = [
    "epoch,train_loss\n1,1.0\n2,0.5\n",
    "",
]


@pytest.mark.parametrize("text", HISTORIES)
@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_bad_history(folder, called, text, lang) -> None:
    (folder / "run.csv").write_text(text)
    code, out, err = called("diagnose", "run.csv", "--lang", lang)
    assert (code, out, err.count("\n")) == (2, "", 1), out + err
    assert "run.csv" in err
