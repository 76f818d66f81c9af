"""The files that belong together: names are followed from file to file, within the package or folder, never beyond."""

from __future__ import annotations

import ast
from pathlib import Path

from sukima.auditing.source.classes import ClassInfo
from sukima.auditing.source.names import Function, Module
from sukima.auditing.source.places import locate, module_name
from sukima.auditing.source.reading import UnreadableError, parse, read

__all__ = ["Project"]


class Project:
    """Modules by path, read when first needed."""

    def __init__(self) -> None:
        self._modules: dict[Path, Module | None] = {}
        self._classes: dict[ast.ClassDef, ClassInfo] = {}
        self._places: dict[tuple[str, Path], Path | None] = {}
        self._found: dict[tuple[str, Module], tuple[Module, ast.AST] | None] = {}
        self._subclasses: dict[Module, dict[ast.ClassDef, list[ClassInfo]]] = {}
        self.paths: dict[Module, Path] = {}
        self.texts: dict[Path, dict[Path, str]] = {}

    def load(self, path: Path, shown: str) -> Module:
        """The module in a file; raises `UnreadableError`."""
        known = self._modules.get(path)
        if known is not None:
            return known
        source = read(path, shown)
        name, package = module_name(path)
        module = Module(source, parse(source), name, package)
        self._modules[path] = module
        self.paths[module] = path
        return module

    def __len__(self) -> int:
        """How many files have been read."""
        return len(self._modules)

    def __contains__(self, path: Path) -> bool:
        return self._modules.get(path) is not None

    def classes(self, module: Module) -> list[ClassInfo]:
        """The classes of a module, nested ones included."""
        return [self.info(node, module) for node in module.classes]

    def info(self, node: ast.ClassDef, module: Module) -> ClassInfo:
        """The class that a node defines."""
        if node not in self._classes:
            self._classes[node] = ClassInfo(module, node, self)
        return self._classes[node]

    def subclasses(self, info: ClassInfo) -> list[ClassInfo]:
        """The classes in the same file that inherit from this one."""
        module = info.module
        if module not in self._subclasses:
            table: dict[ast.ClassDef, list[ClassInfo]] = {}
            for other in self.classes(module):
                for base in other.mro[1:]:
                    table.setdefault(base.node, []).append(other)
            self._subclasses[module] = table
        return self._subclasses[module].get(info.node, [])

    def class_at(self, dotted: str, seen_from: Module, before: int | None = None) -> ClassInfo | None:
        """The class under a dotted name, if its source is part of the project; of several, the last before a line."""
        found = self.find(dotted, seen_from)
        if found and before and found[0] is seen_from:
            here = [n for n in seen_from.scope.names.get(dotted.rpartition(".")[2], []) if isinstance(n, ast.ClassDef)]
            earlier = [n for n in here if n.lineno < before]
            found = (seen_from, earlier[-1]) if earlier else found
        return self.info(found[1], found[0]) if found and isinstance(found[1], ast.ClassDef) else None

    def function_at(self, dotted: str, seen_from: Module) -> tuple[Module, Function] | None:
        """The function under a dotted name, if its source is part of the project."""
        found = self.find(dotted, seen_from)
        if found and isinstance(found[1], ast.FunctionDef | ast.AsyncFunctionDef):
            return found[0], found[1]
        return None

    def find(self, dotted: str, seen_from: Module) -> tuple[Module, ast.AST] | None:
        """Follow a dotted name to the module and node that define it, through re-exports."""
        key = (dotted, seen_from)
        if key not in self._found:
            self._found[key] = self._follow(dotted, seen_from, 6)
        return self._found[key]

    def _follow(self, dotted: str, seen_from: Module, depth: int) -> tuple[Module, ast.AST] | None:
        head, _, name = dotted.rpartition(".")
        home = seen_from if head in (seen_from.name, "") else self._module(head, seen_from)
        if home is None or not name:
            return None
        for value in reversed(home.scope.names.get(name, [])):
            if isinstance(value, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                return home, value
            if isinstance(value, str) and depth and value != dotted:
                return self._follow(value, home, depth - 1)
            if isinstance(value, ast.Name) and depth and value.id != name:
                return self._follow(f"{home.name}.{value.id}" if home.name else value.id, home, depth - 1)
        for star in home.stars if depth else []:
            if star != head and (found := self._follow(f"{star}.{name}", home, depth - 1)):
                return found
        return None

    def _module(self, dotted: str, seen_from: Module) -> Module | None:
        origin = self.paths.get(seen_from)
        if origin is None:
            return None
        key = (dotted, origin.parent)
        if key not in self._places:
            self._places[key] = locate(dotted, origin)
        path = self._places[key]
        if path is None:
            return None
        if path not in self._modules:
            try:
                self.load(path, str(path))
            except UnreadableError:
                self._modules[path] = None
        return self._modules[path]
