"""The tests of `contract`, once for each backend of Keras that is installed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sukima.base.imports import is_installed

HERE = Path(__file__).parent


@pytest.mark.parametrize("backend", ["torch", "tensorflow", "jax"])
def test_contract(backend: str) -> None:
    for needed in ("keras", backend):
        if not is_installed(needed):
            pytest.skip(f"{needed} is not installed")
    environment = {**os.environ, "SUKIMA_KERAS_TESTS": "1", "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", str(HERE / "contract")],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-6000:]}\n{done.stderr[-3000:]}"
