"""Helpers beside these tests, whose folder pytest does not put on the path by itself."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"report_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[f"report_{name}"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def examples() -> ModuleType:
    """Results to draw."""
    return _load("examples")


@pytest.fixture(scope="session")
def browser_module() -> ModuleType:
    """A headless Chromium."""
    return _load("browser")
