"""Optional imports: a missing package becomes one line that says how to install it."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from types import ModuleType

from sukima.base.errors import MissingDependencyError

__all__ = ["is_installed", "require"]


def is_installed(module: str) -> bool:
    """Whether ``module`` can be found, without importing it."""
    return find_spec(module) is not None


def require(module: str, extra: str) -> ModuleType:
    """Import ``module``, or raise a `MissingDependencyError` that names the extra that brings it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != module.split(".")[0]:
            raise
        raise MissingDependencyError(
            "{module} is not installed; it comes with: pip install 'sukima[{extra}]'",
            module=module,
            extra=extra,
        ) from None
