"""Imports run one way, from `base` to `cli`; four packages know records and engines, never each other."""

import ast
from pathlib import Path

import sukima

SOURCE = Path(sukima.__file__).parent

# A package may import those in earlier rows and itself; packages in one row do not know each other.
ROWS = [
    {"base"},
    {"masks"},
    {"records"},
    {"torch", "jax"},
    {"keras"},  # it runs on either of them
    {"engines"},
    {"auditing", "diagnosis", "tuning", "comparison"},
    {"reporting"},
    {"workflow"},
    {"integrations"},
    {"cli"},
]
RANK = {package: row for row, packages in enumerate(ROWS) for package in packages}


def imports_of(path: Path) -> list[tuple[int, str]]:
    """Line and module of every import in a file, also those inside functions."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            found.append((node.lineno, node.module or ""))
    return found


def test_every_package_has_a_place() -> None:
    packages = {p.name for p in SOURCE.iterdir() if p.is_dir() and p.name != "__pycache__"}
    assert packages <= RANK.keys()


def test_no_import_runs_backward() -> None:
    wrong = []
    for path in SOURCE.rglob("*.py"):
        here = path.relative_to(SOURCE).parts[0]
        if here not in RANK:
            continue
        for line, module in imports_of(path):
            parts = module.split(".")
            if parts[0] != "sukima" or len(parts) < 2 or parts[1] not in RANK:
                continue
            there = parts[1]
            if there != here and RANK[there] >= RANK[here]:
                wrong.append(f"{path.relative_to(SOURCE)}:{line}: {here} imports {there}")
    assert not wrong, "\n".join(wrong)
