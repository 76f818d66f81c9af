"""``sukima.audit``: one verb for models and for sources."""

from __future__ import annotations

import os
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from sukima.auditing.configuration import Configuration, find_configuration
from sukima.auditing.engine import SourceAudit, audit_files, audit_view
from sukima.auditing.registry import selected_rules
from sukima.auditing.source.discovery import discover
from sukima.base.errors import InputError
from sukima.records.finding import Finding
from sukima.records.model_view import ModelView

__all__ = ["audit", "audit_model", "audit_sources"]


def audit(
    target: Any, example_input: Any = None, *, select: Iterable[str] = (), ignore: Iterable[str] = ()
) -> list[Finding]:
    """What is wired wrong in a live model, or in source files.

    A path (or several) is read and never run. A ``torch.nn.Module`` or a Keras model is looked at as it is: with
    ``example_input`` the order of execution is traced by one pass in inference mode, which leaves modes, statistics and
    random state as they were; without it, by symbolic tracing, or failing that the order of registration in
    ``Sequential`` containers.

    Args:
        target: a model, a path, or a list of paths.
        example_input: a batch for the model, or a tuple of its arguments.
        select: codes or beginnings of codes to run; all by default.
        ignore: codes or beginnings of codes to leave out.

    Returns:
        The findings, in the order of their places.

    Raises:
        InputError: a path does not exist, a code is unknown, or ``target`` is no model.
    """
    if isinstance(target, str | os.PathLike):
        target = [Path(target)]
    if isinstance(target, list | tuple):
        return audit_sources([Path(path) for path in target], tuple(select), tuple(ignore)).findings
    return audit_model(target, example_input, tuple(select), tuple(ignore))


def audit_sources(
    paths: list[Path],
    select: tuple[str, ...] = (),
    ignore: tuple[str, ...] = (),
    exclude: tuple[str, ...] = (),
    jobs: int | None = None,
) -> SourceAudit:
    """Check files and folders under the configuration that lies with them; arguments add to it."""
    for path in paths:
        if not path.exists():
            raise InputError("{path}: no such file or folder", path=path)
    configuration = find_configuration(paths[0]) if paths else Configuration()
    files = list(dict.fromkeys(discover(paths, (*configuration.exclude, *exclude))))
    done = audit_files(files, select or tuple(configuration.select), (*configuration.ignore, *ignore), jobs)
    if configuration.per_file_ignores:
        done.findings = [f for f in done.findings if not _ignored(f, configuration)]
    return done


def _ignored(finding: Finding, configuration: Configuration) -> bool:
    path = Path(finding.path or "").as_posix()
    for pattern, codes in configuration.per_file_ignores.items():
        here = fnmatch(path, pattern) or fnmatch(path, f"*/{pattern}") or fnmatch(Path(path).name, pattern)
        if here and any(finding.code.startswith(code.upper()) for code in codes):
            return True
    return False


def audit_model(
    model: Any, example_input: Any = None, select: tuple[str, ...] = (), ignore: tuple[str, ...] = ()
) -> list[Finding]:
    """Check a live model."""
    rules = selected_rules(select, ignore)
    found = {f.key: f for view in view_models(model, example_input) for f in audit_view(view, rules)}
    return list(found.values())


def view_models(model: Any, example_input: Any = None) -> list[ModelView]:
    """The views of a live model, by the reader of its framework."""
    roots = {base.__module__.partition(".")[0] for base in type(model).__mro__}
    if "keras" in roots and callable(getattr(model, "get_config", None)):
        from sukima.auditing.readers.keras import read_model as read_keras

        return read_keras(model)
    if "torch" in roots:
        from sukima.auditing.readers.torch import read_model as read_torch

        return read_torch(model, example_input)
    raise InputError(
        "target must be a path, a torch.nn.Module or a Keras model, got {value}", value=type(model).__name__
    )
