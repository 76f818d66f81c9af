"""Where on disk a dotted name lies, and which dotted name a file has."""

from __future__ import annotations

from pathlib import Path

__all__ = ["is_project_root", "locate", "module_name"]


def module_name(path: Path) -> tuple[str, str]:
    """The dotted name of a file and of the package that holds it, by the ``__init__.py`` files around it."""
    parts = [] if path.name == "__init__.py" else [path.stem]
    folder = path.parent
    packages: list[str] = []
    while (folder / "__init__.py").is_file() and folder.parent != folder and len(packages) < 20:
        packages.insert(0, folder.name)
        folder = folder.parent
    # A dot in a file's name would read as a level; such files cannot be imported by that name anyway.
    return ".".join([*packages, *parts]).replace("-", "_"), ".".join(packages)


def locate(dotted: str, origin: Path) -> Path | None:
    """The file of a module, beside the origin or up to the root of the origin's package and one folder above."""
    parts = dotted.split(".")
    folder = origin.parent
    for _ in range(12):
        found = _file(folder.joinpath(*parts))
        if found is not None and found != origin:
            return found
        inside = (folder / "__init__.py").is_file()
        if not inside and folder != origin.parent:
            break
        if folder.parent == folder:
            break
        folder = folder.parent
        if not inside and not is_project_root(folder):
            break
    return None


def is_project_root(folder: Path) -> bool:
    """Scripts in a folder such as ``examples`` import what lies beside that folder."""
    return any((folder / n).exists() for n in ("pyproject.toml", "setup.py", "requirements.txt", ".git", "setup.cfg"))


def _file(base: Path) -> Path | None:
    for candidate in (base.with_name(base.name + ".py"), base / "__init__.py"):
        try:
            if candidate.is_file():
                return candidate
        except OSError:
            return None
    return None
