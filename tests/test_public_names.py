"""Public names: importable, lazily, and never hidden by a package of the same name."""

import importlib
import importlib.util
import pkgutil
import subprocess
import sys

import pytest

import sukima

VERBS = ("accelerate", "apply", "audit", "compare", "diagnose", "fit", "report", "sites", "tune")


@pytest.mark.parametrize("name", [name for name in sukima.__all__ if name != "__version__"])
def test_every_name_can_be_imported(name: str) -> None:
    assert getattr(sukima, name) is not None
    assert name in dir(sukima)


def test_no_package_hides_a_verb() -> None:
    for module in pkgutil.iter_modules(sukima.__path__):
        if not module.name.startswith("_"):
            if importlib.util.find_spec({"jax": "jax", "keras": "keras"}.get(module.name, "sukima")) is None:
                continue  # the package for a framework that need not be installed
            importlib.import_module(f"sukima.{module.name}")
    for verb in VERBS:
        assert callable(getattr(sukima, verb)), verb


def test_unknown_name() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = sukima.nonsense


@pytest.mark.parametrize("code", ["import sukima", "import sukima.cli.app"])
def test_start_is_light(code: str) -> None:
    heavy = "{'torch', 'numba', 'matplotlib', 'scipy', 'sklearn', 'keras', 'pandas', 'optuna'}"
    check = f"{code}; import sys; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
