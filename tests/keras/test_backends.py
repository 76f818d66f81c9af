"""The tests of `contract`, once for each backend of Keras that is installed."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sukima.base.imports import is_installed

HERE = Path(__file__).parent


@pytest.mark.parametrize("backend", ["torch", "tensorflow", "jax"])
def test_contract(backend: str, environment_of: Callable[[str], dict[str, str]]) -> None:
    """In a process of its own, as a process has one backend."""
    if not (is_installed("keras") and is_installed(backend)):
        pytest.skip(f"Keras or {backend} is not installed")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "0", "--no-header", "-p", "no:cacheprovider", HERE / "contract"],
        capture_output=True,
        text=True,
        env=environment_of(backend) | {"SUKIMA_KERAS_TESTS": "1"},
    )
    assert run.returncode == 0, (run.stdout + run.stderr)[-9000:]
