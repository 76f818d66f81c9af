"""What tests of several packages share."""

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:  # threads of several processes would wait for each other
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def examples() -> ModuleType:
    """Results to draw, print and save."""
    path = Path(__file__).parent / "reporting" / "examples.py"
    spec = importlib.util.spec_from_file_location("result_examples", path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
