"""The tests of `contract`, once for each backend of Keras that is installed."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sukima.base.imports import is_installed

HERE = Path(__file__).parent


class Run:
    """The tests on one backend, in a process of their own."""

    def __init__(self, backend: str, output: Path) -> None:
        self.output = output
        environment = {
            **os.environ, "SUKIMA_KERAS_TESTS": "1", "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3",
            "OMP_NUM_THREADS": "1",  # threads of torch wait for each other on cores that other backends are using
        }  # fmt: skip
        with output.open("w") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", str(HERE / "contract")],
                stdout=file,
                stderr=subprocess.STDOUT,
                env=environment,
            )


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Run]]:
    """All backends that are asked for at once, since each leaves a core idle for much of its time."""
    items = [item for item in request.session.items if isinstance(item, pytest.Function) and item.path == request.path]
    backends = [item.callspec.params["backend"] for item in items]
    folder = tmp_path_factory.mktemp("backends")
    started = {b: Run(b, folder / b) for b in backends if is_installed("keras") and is_installed(b)}
    yield started
    for run in started.values():
        run.process.kill()
        run.process.wait()


@pytest.mark.parametrize("backend", ["torch", "tensorflow", "jax"])
def test_contract(backend: str, runs: dict[str, Run]) -> None:
    if backend not in runs:
        pytest.skip(f"Keras or {backend} is not installed")
    run = runs[backend]
    assert run.process.wait() == 0, run.output.read_text(errors="replace")[-9000:]
