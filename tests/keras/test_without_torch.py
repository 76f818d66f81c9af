"""A Keras task on TensorFlow or JAX needs no torch: it is neither found nor asked for."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sukima.base.imports import is_installed

TASK = """
import keras
import numpy as np
import sukima

rng = np.random.default_rng(0)
x, y = rng.normal(size=(90, 6)).astype("float32"), rng.integers(0, 2, 90)


def model():
    layers = keras.layers
    inside = [layers.Dense(8, activation="relu"), layers.Dropout(0.4, name="drop")]
    return keras.Sequential([keras.Input((6,)), *inside, layers.Dense(2, activation="softmax")])


task = sukima.Task(model=model, train=(x[:50], y[:50]), validation=(x[50:70], y[50:70]), test=(x[70:], y[70:]),
                   metric="accuracy", epochs=1, batch_size=25)
recipes = {"none": sukima.Recipe(rates={"*": 0.0}), "half": sukima.Recipe(rates={"*": 0.5})}
"""

# A package that is not installed: nothing finds it.
WORK = """
import importlib.machinery, sys

found = importlib.machinery.PathFinder.find_spec


def find_spec(name, path=None, target=None):
    return None if name.split(".")[0] in ("torch", "triton") else found(name, path, target)


importlib.machinery.PathFinder.find_spec = find_spec

import sukima, task
from sukima.cli import main

if task.keras.backend.backend() == "jax":  # TensorFlow takes a second or two for each of tune's 25 trials
    result = sukima.tune(task.task, strategy="random", trials=1, search_seeds=1, test_seeds=2)
    assert result.complete and result.comparison is not None
assert sukima.sites(task.model())["drop"].rate == 0.4
sys.argv = ["sukima", "compare", "task.py", "--seeds", "2", "--json", "--output", "page.html"]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
assert not {"torch", "triton"} & sys.modules.keys()
print("done")
"""


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_tune_and_compare(backend: str, tmp_path: Path, environment_of: Callable[[str], dict[str, str]]) -> None:
    for needed in ("keras", backend):
        if not is_installed(needed):
            pytest.skip(f"{needed} is not installed")
    (tmp_path / "task.py").write_text(TASK)
    (tmp_path / "work.py").write_text(WORK)
    done = subprocess.run(
        [sys.executable, "work.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=environment_of(backend),
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    assert done.stdout.splitlines()[-1] == "done"
    assert '"noisy_loss"' in done.stdout
    assert (tmp_path / "page.runs.jsonl").read_text().count("\n") == 4
