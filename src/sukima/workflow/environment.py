"""The versions and the machine that a result was made with."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version

import sukima

__all__ = ["environment"]

_PACKAGES = ("torch", "numpy", "numba")


def environment() -> dict[str, str]:
    """Name → version, for the record of how a result was obtained."""
    found = {"sukima": sukima.__version__, "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    found["machine"] = f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPU"
    return found
