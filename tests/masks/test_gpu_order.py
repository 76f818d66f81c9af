"""Triton after TensorFlow ends the process; sukima says so before."""

import subprocess
import sys

import pytest

from sukima.base.imports import is_installed

# What is looked at is whether TensorFlow was loaded; loading it takes seconds.
AFTER = """
import sys, types
sys.modules["tensorflow"] = types.ModuleType("tensorflow")
import sukima.masks.gpu
"""


def test_triton_is_not_loaded_after_tensorflow() -> None:
    if not is_installed("triton"):
        pytest.skip("Triton is not installed")
    done = subprocess.run([sys.executable, "-c", AFTER], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "expected it to be loaded before TensorFlow" in done.stderr.splitlines()[-1]
