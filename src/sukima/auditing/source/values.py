"""What an expression can be, as far as audit follows it."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TypeAlias

from sukima.auditing.source.classes import ClassInfo
from sukima.auditing.source.layer_specs import LayerSpec
from sukima.auditing.source.names import Function, Module

__all__ = [
    "UNKNOWN",
    "Bound",
    "Callable",
    "Choice",
    "Const",
    "Env",
    "GraphModel",
    "Instance",
    "Items",
    "LayerValue",
    "Ref",
    "Symbol",
    "Tensor",
    "Unknown",
    "Value",
    "argument",
    "joined",
    "named",
    "options",
]


class Value:
    """Base of all values."""

    __slots__ = ()


class Unknown(Value):
    """Anything."""

    __slots__ = ()


UNKNOWN = Unknown()


@dataclass(frozen=True)
class Const(Value):
    """A number, text, ``True``, ``None``; ``name`` is the parameter whose default it is."""

    value: object
    name: str = ""


@dataclass(frozen=True)
class Symbol(Value):
    """Something unknown that has a name, such as a parameter without a default or ``config.dropout``."""

    text: str


@dataclass(frozen=True)
class Ref(Value):
    """A name from a library, or one of the project not yet looked at."""

    dotted: str


@dataclass(frozen=True)
class Tensor(Value):
    """The result of one of these operations."""

    ops: frozenset[int]


@dataclass(eq=False)
class LayerValue(Value):
    """A layer of a framework, as constructed at ``node``."""

    dotted: str
    spec: LayerSpec
    node: ast.Call
    module: Module
    arguments: dict[str | int, Value] = field(default_factory=dict)
    site: str | None = None

    def argument(self, where: tuple[int, tuple[str, ...]] | None) -> Value | None:
        """An argument by position or name."""
        if where is None:
            return None
        for key in (*where[1], where[0]):
            if key in self.arguments:
                return self.arguments[key]
        return None


@dataclass(eq=False)
class Instance(Value):
    """An object of a class of the project; ``pending`` holds the arguments until its constructor is followed."""

    cls: ClassInfo
    pending: dict[str | int, Value] | None = None
    attributes: dict[str, Value] = field(default_factory=dict)
    site: str | None = None
    node: ast.AST | None = None


_MOST_ITEMS = 2000


@dataclass(eq=False)
class Items(Value):
    """A list, tuple, dict, Sequential, ModuleList …: ``complete`` says that all its items are known."""

    kind: str
    pairs: list[tuple[str, Value]] = field(default_factory=list)
    site: str | None = None
    node: ast.AST | None = None
    module: Module | None = None
    complete: bool = True

    def add(self, value: Value, name: str | None = None) -> None:
        """Append an item; a list that doubles again and again stops somewhere."""
        if len(self.pairs) < _MOST_ITEMS:
            self.pairs.append((name if name is not None else str(len(self.pairs)), value))
        else:
            self.complete = False

    def insert(self, at: int, value: Value) -> None:
        """Put an item before another, as ``list.insert`` does; keys of lists are places."""
        self.pairs.insert(at, ("", value))
        self.pairs[:] = [(str(i), item) for i, (_, item) in enumerate(self.pairs)]

    def extend(self, others: list[tuple[str, Value]], *, named: bool = False) -> None:
        """Append items, which may be these themselves."""
        for name, value in list(others):
            self.add(value, name if named else None)


@dataclass(eq=False)
class GraphModel(Value):
    """A Keras model made from its input and output tensors."""

    outputs: frozenset[int]
    node: ast.Call


@dataclass(eq=False)
class Callable(Value):
    """A function or lambda of the project with what it closes over."""

    node: Function | ast.Lambda
    module: Module
    env: Env | None = None
    owner: Instance | None = None
    home: ClassInfo | None = None


@dataclass(eq=False)
class Bound(Value):
    """An attribute of a value that may be called: ``x.view``, ``self.blocks.append``."""

    value: Value
    name: str


@dataclass(frozen=True)
class Choice(Value):
    """One of several values, where branches meet; none of them is a choice again."""

    values: tuple[Value, ...]


@dataclass(eq=False)
class Env:
    """The variables of a function while it is followed."""

    module: Module
    names: dict[str, Value] = field(default_factory=dict)
    parent: Env | None = None
    owner: Instance | None = None
    home: ClassInfo | None = None

    def get(self, name: str) -> Value | None:
        """The value of a name, through enclosing functions."""
        at: Env | None = self
        while at is not None:
            if name in at.names:
                return at.names[name]
            at = at.parent
        return None


Arguments: TypeAlias = "dict[str | int, Value]"


def named(args: list[Value], keywords: dict[str, Value]) -> Arguments:
    """Arguments under their positions and names."""
    found: Arguments = dict(enumerate(args))
    found.update(keywords)
    return found


def options(value: Value) -> tuple[Value, ...]:
    """The alternatives of a value."""
    return value.values if value.__class__ is Choice else (value,)


def joined(first: Value, second: Value) -> Value:
    """What is known where two branches meet."""
    if first is second:
        return first
    tensors: set[int] = set()
    rest: list[Value] = []
    for one in (*options(first), *options(second)):
        if isinstance(one, Tensor):
            tensors |= one.ops
        elif one not in rest and len(rest) < 6:
            rest.append(one)
    if tensors:
        rest.append(Tensor(frozenset(tensors)))
    return rest[0] if len(rest) == 1 else Choice(tuple(rest))


def argument(call: ast.Call, position: int | None, names: tuple[str, ...]) -> ast.expr | None:
    """An argument of a call in the source, by position or name."""
    for keyword in call.keywords:
        if keyword.arg in names:
            return keyword.value
    if position is not None and position < len(call.args):
        before = call.args[: position + 1]
        if not any(isinstance(a, ast.Starred) for a in before):
            return call.args[position]
    return None
