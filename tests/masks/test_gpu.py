"""The Triton kernels, in Triton's interpreter.

Triton looks at the variable when it is imported, which torch may have done by now: the cases need their own process.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("triton", reason="triton is not installed")


def test_in_the_interpreter() -> None:
    cases = str(Path(__file__).with_name("gpu_cases.py"))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", cases],
        env={**os.environ, "TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
