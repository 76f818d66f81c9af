"""Results to draw, made by `examples`, whose folder pytest does not put on the path by itself."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def examples() -> ModuleType:
    name = "report_examples"
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("examples.py"))
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
