"""Commands end to end: results, reports, interruption, help."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.mark.parametrize("form", ["task.py", "task.py:task", "./task.py", "sub/../task.py:task"])
def test_tune_as_json(folder: Path, called, form: str) -> None:
    (folder / "sub").mkdir()
    code, out, err = called("tune", form, "--seeds", "2", "--search-seeds", "1", "--json", "-o", "r.json")
    assert code == 0, err
    assert json.loads(out).keys() >= {"recipe", "baseline", "candidates", "test", "cost"}
    written = json.loads((folder / "r.json").read_text())
    assert written.pop("record")  # the file also holds what the page is drawn from
    assert written == json.loads(out)


def test_absolute_path_sibling_module_and_another_name(folder: Path, called, tmp_path_factory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "parts_of_it.py").write_text((folder / "task.py").read_text())
    (elsewhere / "json.py.py").write_text("from parts_of_it import task as mine\n")
    code, out, err = called("compare", f"{elsewhere}/json.py.py:mine", "--seeds", "2", "--json", "-o", "r.html")
    assert code == 0, err
    assert json.loads(out)["test"]
    assert "<html" in (folder / "r.html").read_text()


def test_curves_for_tensorboard(folder: Path, called) -> None:
    code, _, err = called(
        "tune", "task.py", "--seeds", "2", "--search-seeds", "1", "--tensorboard", "runs", "-o", "r.json"
    )
    assert code == 0, err
    assert list((folder / "runs" / "baseline" / "seed-0" / "train").glob("events.out.tfevents.*"))


def test_windows_paths_keep_their_drive() -> None:
    from sukima.cli.objects import _split

    assert _split(r"C:\x\task.py:task", "d") == (Path(r"C:\x\task.py"), "task")
    assert _split(r"C:\x\task.py", "d") == (Path(r"C:\x\task.py"), "d")


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_help_and_no_arguments(called, monkeypatch, lang: str) -> None:
    monkeypatch.setenv("LC_ALL", {"en": "C.UTF-8", "ja": "ja_JP.UTF-8"}[lang])
    code, out, err = called()
    assert (code, out) == (2, "")
    assert all(command in err for command in ("tune", "compare", "diagnose"))
    assert not err.startswith("sukima:")
    for command in ("tune", "compare", "diagnose"):
        code, out, err = called(command, "--help")
        assert (code, err) == (0, "")
        assert "--lang" in out


@pytest.mark.parametrize("place", [["--lang", "ja", "wrong"], ["tune", "--lang=ja", "none.py"]])
def test_lang_may_stand_anywhere(called, place: list[str]) -> None:
    assert not called(*place)[2].isascii()


SLOW = "\nimport dataclasses\ntask = dataclasses.replace(task, epochs=3)\n"
ANNOUNCING = """
import os, signal

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
owner = os.getpid()  # models may be built in worker processes

def announced():
    with open("built", "a") as file:
        file.write("x")
    if os.path.getsize("built") == WHEN:
        os.kill(owner, signal.SIGINT)
    return build()

task = dataclasses.replace(task, model=announced)
"""


@pytest.mark.skipif(os.name == "nt", reason="SIGINT cannot be sent to one process on Windows")
def test_ctrl_c_writes_the_report_of_what_is_done(
    folder: Path, program: Callable[..., "subprocess.Popen[bytes]"]
) -> None:
    with (folder / "task.py").open("a") as file:
        file.write(SLOW + ANNOUNCING.replace("WHEN", "9"))
    started = program("tune", "task.py", "--seeds", "2", "--json", "-o", "r.html")
    out, err = started.communicate(timeout=60)
    assert started.returncode == 130, err.decode()
    assert json.loads(out)
    assert (folder / "r.html").stat().st_size > 1000


def test_a_closed_pipe_does_not_lose_the_report(folder: Path, program) -> None:
    started = program("compare", "task.py", "--seeds", "2", "-o", "r.html")
    started.stdout.close()
    err = started.stderr.read().decode()
    started.wait(60)
    assert "Traceback" not in err
    assert (folder / "r.html").is_file()


@pytest.mark.skipif(os.name == "nt", reason="SIGINT cannot be sent to one process on Windows")
@pytest.mark.parametrize("how", ["SIGINT", "SIGKILL"])
def test_a_comparison_that_was_stopped_goes_on_where_it_was(folder: Path, program, how: str) -> None:
    with (folder / "task.py").open("a") as file:
        file.write("\nimport dataclasses\ntask = dataclasses.replace(task, epochs=100)\n")
        file.write("recipes = {str(i): sukima.Recipe(weight_decay=i / 10) for i in range(5)}\n")
    runs = folder / "r.runs.jsonl"
    started = program("compare", "task.py", "--seeds", "8", "--json", "-o", "r.html")
    while started.poll() is None and (not runs.exists() or runs.read_text().count("\n") < 4):
        time.sleep(0.02)
    started.send_signal(getattr(signal, how))
    out, err = started.communicate(timeout=60)
    if how == "SIGINT":
        assert started.returncode == 130, err.decode()
        assert json.loads(out)["complete"] is False
    kept = runs.read_text().count("\n")
    assert kept < 40
    again = program("compare", "task.py", "--seeds", "8", "--json", "-o", "r.html")
    out, err = again.communicate(timeout=120)
    assert again.returncode == 0, err.decode()
    assert f"{kept} runs of before are taken" in err.decode()
    assert json.loads(out)["complete"]
