"""Calls of functions, and of objects of classes, that the project defines."""

from __future__ import annotations

import ast
import re

from sukima.auditing.source.classes import ClassInfo
from sukima.auditing.source.state import State
from sukima.auditing.source.values import (
    UNKNOWN,
    Arguments,
    Callable,
    Const,
    Env,
    Instance,
    Items,
    Ref,
    Symbol,
    Value,
)

__all__ = ["ApplyingProject"]

_MAKING = re.compile(r"\bnn\.[A-Z]|[lL]ayer|Dropout|Dense|Linear|Sequential|ModuleList|Conv|Block|Module|Norm")
_NESTED = 1  # How many modules within modules are followed; deeper ones are opaque.


class ApplyingProject(State):
    """Functions and classes of the project."""

    def apply_function(
        self, function: Callable, args: list[Value], keywords: dict[str, Value], node: ast.AST, env: Env
    ) -> Value:
        """A call of a function of the project."""
        owner = function.owner
        inner = Env(
            function.module, {}, function.env, owner or (function.env.owner if function.env else None), function.home
        )
        if not self.tensors([*args, *keywords.values()]) and not self._makes_layers(function):
            return UNKNOWN
        bound = owner is not None and function.env is None
        given = [owner, *args] if owner is not None and bound else list(args)
        self.bind(function.node.args, given, keywords, inner)
        return self.run_body(function.node, inner)

    def _makes_layers(self, function: Callable) -> bool:
        """Whether a function that is given no tensor is worth following: it may make layers or pass some on."""
        if len(self.running) > 5:
            return False
        return _MAKING.search(function.module.text_of(function.node)) is not None

    def bind(self, a: ast.arguments, args: list[Value], keywords: dict[str, Value], env: Env) -> None:
        """Bind parameters to arguments, defaults, or symbols."""
        positional = [*a.posonlyargs, *a.args]
        defaults: list[ast.expr | None] = [*([None] * (len(positional) - len(a.defaults))), *a.defaults]
        for at, (parameter, default) in enumerate(zip(positional, defaults, strict=True)):
            if at < len(args):
                env.names[parameter.arg] = args[at]
            else:
                env.names[parameter.arg] = self._given(parameter, default, keywords, env)
        for parameter, default in zip(a.kwonlyargs, a.kw_defaults, strict=True):
            env.names[parameter.arg] = self._given(parameter, default, keywords, env)
        if a.vararg:
            rest = args[len(positional) :]
            env.names[a.vararg.arg] = Items("tuple", [(str(i), v) for i, v in enumerate(rest)])
        if a.kwarg:
            names = {p.arg for p in (*positional, *a.kwonlyargs)}
            env.names[a.kwarg.arg] = Items(
                "dict", [(k, v) for k, v in keywords.items() if k not in names], complete=False
            )

    def _given(self, parameter: ast.arg, default: ast.expr | None, keywords: dict[str, Value], env: Env) -> Value:
        if parameter.arg in keywords:
            return keywords[parameter.arg]
        if isinstance(default, ast.Constant):
            return Const(default.value, parameter.arg)
        if default is not None:
            value = self.evaluate(default, Env(env.module))
            if isinstance(value, Const):
                return Const(value.value, parameter.arg)
            if isinstance(value, Ref):
                return value
        return Symbol(parameter.arg)

    def apply_instance(
        self, made: Instance, args: list[Value], keywords: dict[str, Value], node: ast.AST, env: Env
    ) -> Value:
        """A call of an object of a class of the project."""
        forward = made.cls.forward
        home = made.cls.home(forward.name) if forward else None
        if forward is None or home is None or len(self.owners) >= _NESTED or self.steps > self.limit // 2:
            return self.opaque(args, keywords, node, env)
        self.settle(made)
        inner = Env(home.module, {}, None, made, home)
        self.bind(forward.args, [made, *args], keywords, inner)
        self.owners.append(made.site or made.cls.name)
        try:
            return self.run_body(forward, inner)
        finally:
            self.owners.pop()

    def settle(self, made: Instance) -> None:
        """Follow the constructor of an object that something is now asked of."""
        if made.pending is not None:
            arguments, made.pending = made.pending, None
            if made.cls.framework is not None or made.cls.forward is not None:
                self.initialise(made, arguments)

    def initialise(self, made: Instance, arguments: Arguments) -> None:
        """Follow the constructor of an object, and what builds its layers later."""
        home = made.cls.home("__init__")
        if home is not None:
            self.initialise_from(made, home, arguments)
        for later in ("build", "configure_model", "setup") if home is not None or made.cls.framework else ():
            where = made.cls.home(later)
            if where is not None and where.methods[later] not in self.running:
                env = Env(where.module, {}, None, made, where)
                self.bind(where.methods[later].args, [made], {}, env)
                self.run_body(where.methods[later], env)

    def initialise_from(self, made: Instance, home: object, arguments: Arguments) -> None:
        """Follow the constructor that ``home`` defines."""
        assert isinstance(home, ClassInfo)
        init = home.methods["__init__"]
        if made.cls.node is not home.node and not self._makes_layers(Callable(init, home.module)):
            return
        positional = [made, *(arguments[k] for k in sorted(k for k in arguments if isinstance(k, int)))]
        keywords = {k: v for k, v in arguments.items() if isinstance(k, str)}
        env = Env(home.module, {}, None, made, home)
        self.bind(init.args, positional, keywords, env)
        self.run_body(init, env)
