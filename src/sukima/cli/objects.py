"""Objects in a user's file: ``file.py:name``."""

from __future__ import annotations

import importlib.util
import sys
import sysconfig
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

import sukima
from sukima.base.errors import InputError

__all__ = ["load_module", "load_object", "users_line"]

_LIBRARIES = tuple(
    str(Path(folder).resolve())
    for folder in (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), Path(sukima.__file__).parent)
)


def load_object(target: str, default: str, kind: type) -> Any:
    """The object that ``file.py:name`` names (``default`` without a name), if it is a ``kind``.

    The file is run, as Python would run it, with its own folder on the path.

    Raises:
        InputError: no such file or object, another kind of object, or the file does not run; then the message is the
            user's line and what Python said of it.
    """
    path, name = _split(target, default)
    module = load_module(target)
    if not hasattr(module, name):
        raise InputError(
            "{path}: expected an object called {name}, got {found}",
            path=path,
            name=repr(name),
            found=", ".join(n for n, v in vars(module).items() if isinstance(v, kind)) or "none",
        )
    value = getattr(module, name)
    if not isinstance(value, kind):
        raise InputError(
            "{path}: {name} must be a {kind}, got {value}",
            path=path,
            name=name,
            kind=kind.__name__,
            value=type(value).__name__,
        )
    return value


def load_module(target: str) -> ModuleType:
    """The user's file as a module; a second call gives the same one."""
    path = _split(target, "")[0].resolve()
    if not path.is_file():
        raise InputError("{path}: no such file", path=path)
    loaded = sys.modules.get(path.stem)
    if loaded is not None and getattr(loaded, "__file__", None) == str(path):
        return loaded
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise InputError("{path}: expected a Python file", path=path)
    module = importlib.util.module_from_spec(spec)
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    if loaded is None:
        sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise InputError(
            "{path}:{line}: {error}", path=error.filename, line=error.lineno, error=f"SyntaxError: {error.msg}"
        ) from None
    return module


def _split(target: str, default: str) -> tuple[Path, str]:
    file, separator, name = target.rpartition(":")
    if separator and name.isidentifier():
        return Path(file), name
    return Path(target), default


def users_line(error: BaseException) -> str:
    """``file.py:12: `` where the user's own code was last on the way to ``error``; empty where it was not."""
    frames = traceback.extract_tb(error.__traceback__)
    for frame in reversed(frames):
        file = Path(frame.filename).resolve()
        if file.is_file() and not str(file).startswith(_LIBRARIES) and file.name != "sukima":
            return f"{frame.filename}:{frame.lineno}: "
    return ""
