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

_LIBRARIES = tuple(Path(folder).resolve() for folder in (sysconfig.get_path("stdlib"), Path(sukima.__file__).parent))
_INSTALLED = {"site-packages", "dist-packages"}


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
    typed = _split(target, "")[0]
    path = typed.resolve()
    if not path.is_file():
        raise InputError("{path}: no such file", path=typed)
    taken = getattr(sys.modules.get(path.stem), "__file__", None) != str(path) and path.stem in sys.modules
    name = f"{path.stem} at {path}" if taken else path.stem  # never in the way of a module of that name
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InputError("{path}: expected a Python file", path=path)
    module = importlib.util.module_from_spec(spec)
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[name]
        if (refusal := _refusal(path, error)) is not None:
            raise refusal from None
        raise
    return module


def _refusal(path: Path, error: BaseException) -> InputError | None:
    """What to say of a file that ended the program, or that Python could not even start; ``None`` for other errors."""
    if isinstance(error, SyntaxError):
        return InputError(
            "{path}:{line}: {error}",
            path=error.filename or path,
            line=error.lineno or 1,
            error=f"SyntaxError: {error.msg}",
        )
    if isinstance(error, SystemExit):
        place = users_line(error) or f"{path}: "
        return InputError("{place}the file ends the program (exit code {code})", place=place, code=error.code)
    if not users_line(error) and isinstance(error, Exception):  # null bytes, say
        return InputError("{path}:{line}: {error}", path=path, line=1, error=f"{type(error).__name__}: {error}")
    return None


def _split(target: str, default: str) -> tuple[Path, str]:
    file, separator, name = target.rpartition(":")
    if separator and name.isidentifier():
        return Path(file), name
    return Path(target), default


def users_line(error: BaseException) -> str:
    """``file.py:12: `` where the user's own code was last on the way to ``error``; empty where it was not."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = Path(frame.filename).resolve()
        ours = any(file.is_relative_to(folder) for folder in _LIBRARIES) or not _INSTALLED.isdisjoint(file.parts)
        if file.is_file() and not ours:
            return f"{frame.filename}:{frame.lineno}: "
    cause = error.__cause__
    return users_line(cause) if cause is not None else ""
