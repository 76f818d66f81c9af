"""The files that belong together: names are followed from file to file, within the package or folder, never beyond."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from pathlib import Path

from sukima.auditing.source.names import Function, Module
from sukima.auditing.source.reading import UnreadableError, parse, read

__all__ = ["ClassInfo", "Project", "is_project_root"]

_TORCH_ROOTS = (
    "torch.nn.",
    "lightning",
    "torch_geometric.nn",
    "transformers.",
    "timm.",
    "fairseq.",
    "mmcv.",
    "mmengine.",
)
_KERAS_ROOTS = ("keras.", "tensorflow.Module")
_FORWARD = ("forward", "call", "__call__")


@dataclass(eq=False)
class ClassInfo:
    """A class with its methods and what it inherits, as far as the sources show."""

    module: Module
    node: ast.ClassDef
    project: Project
    methods: dict[str, Function] = field(init=False)
    _mro: list[ClassInfo] | None = None
    _external: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.methods = {n.name: n for n in self.node.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}

    @property
    def name(self) -> str:
        """The class's name."""
        return self.node.name

    @property
    def mro(self) -> list[ClassInfo]:
        """This class and those it inherits from that were found, nearest first."""
        if self._mro is None:
            self._mro = [self]
            for base in self.node.bases:
                dotted = self.module.dotted(base)
                found = self.project.class_at(dotted, self.module) if dotted else None
                if found is None or found is self:
                    self._external.append(dotted or ast.unparse(base))
                    continue
                self._mro += [c for c in found.mro if c not in self._mro]
                self._external += found._external
        return self._mro

    @property
    def external(self) -> list[str]:
        """Bases whose source is not at hand, by dotted name."""
        _ = self.mro
        return self._external

    @property
    def framework(self) -> str | None:
        """``torch`` or ``keras`` where the class is a module or layer, by its bases or, failing that, its methods."""
        for base in self.external:
            if base.startswith(_KERAS_ROOTS):
                return "keras"
            if base.startswith(_TORCH_ROOTS):
                return "torch"
        unknown = [b for b in self.external if b not in {"object", "abc.ABC", "ABC"}]
        if unknown and self.method("__init__"):
            if self.method("forward"):
                return "torch"
            if self.method("call"):
                return "keras"
        return None

    @property
    def known(self) -> bool:
        """Whether nothing is inherited but what the sources show and the plain roots of the frameworks."""
        roots = {
            "torch.nn.Module",
            "keras.Model",
            "keras.layers.Layer",
            "keras.Layer",
            "object",
            "abc.ABC",
            "lightning.LightningModule",
            "tensorflow.Module",
        }
        # The abstract bases of Hugging Face's models read no layer of those who inherit.
        return all(base in roots or base.endswith("PreTrainedModel") for base in self.external)

    def method(self, name: str) -> Function | None:
        """A method by name, inherited ones included."""
        for found in self.mro:
            if name in found.methods:
                return found.methods[name]
        return None

    def home(self, name: str) -> ClassInfo | None:
        """The class that defines a method."""
        return next((c for c in self.mro if name in c.methods), None)

    @property
    def forward(self) -> Function | None:
        """The method that runs when the module is called."""
        names = ("call", "forward", "__call__") if self.framework == "keras" else _FORWARD
        for name in names:
            if (found := self.method(name)) is not None:
                return found
        return None


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
        name, package = _module_name(path)
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
            self._places[key] = _locate(dotted, origin)
        path = self._places[key]
        if path is None:
            return None
        if path not in self._modules:
            try:
                self.load(path, str(path))
            except UnreadableError:
                self._modules[path] = None
        return self._modules[path]


def _module_name(path: Path) -> tuple[str, str]:
    """The dotted name of a file and of the package that holds it, by the ``__init__.py`` files around it."""
    parts = [] if path.name == "__init__.py" else [path.stem]
    folder = path.parent
    packages: list[str] = []
    while (folder / "__init__.py").is_file() and folder.parent != folder and len(packages) < 20:
        packages.insert(0, folder.name)
        folder = folder.parent
    # A dot in a file's name would read as a level; such files cannot be imported by that name anyway.
    return ".".join([*packages, *parts]).replace("-", "_"), ".".join(packages)


def _locate(dotted: str, origin: Path) -> Path | None:
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
