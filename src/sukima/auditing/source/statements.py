"""Following statements."""

# ruff: noqa: N802, N815 - methods are named after the classes of ast nodes that they follow

from __future__ import annotations

import ast

from sukima.auditing.source.names import Function
from sukima.auditing.source.state import State
from sukima.auditing.source.values import (
    UNKNOWN,
    Bound,
    Callable,
    Choice,
    Const,
    Env,
    Instance,
    Items,
    LayerValue,
    Tensor,
    Value,
    joined,
    options,
)

__all__ = ["Executing"]

_LOOPS = 5


class Executing(State):
    """Statements."""

    returned: list[list[Value]]

    def run_body(self, function: Function | ast.Lambda, env: Env) -> Value:
        """Follow a body; what it returns, joined over its returns."""
        if function in self.running or len(self.running) > 9:
            return UNKNOWN
        self.running.append(function)
        returned: list[Value] = []
        stack = self.__dict__.setdefault("returned", [])
        stack.append(returned)
        try:
            if isinstance(function, ast.Lambda):
                return self.evaluate(function.body, env)
            self.execute(function.body, env)
        finally:
            self.running.pop()
            stack.pop()
        result: Value | None = None
        for value in returned:
            result = value if result is None else joined(result, value)
        return result if result is not None else Const(None)

    def execute(self, body: list[ast.stmt], env: Env) -> bool:
        """Follow statements; true if control leaves before their end."""
        for statement in body:
            self.step()
            handler = _HANDLERS.get(statement.__class__)
            if handler is not None and handler(self, statement, env):
                return True
        return False

    def _do_Expr(self, node: ast.Expr, env: Env) -> bool:
        self.evaluate(node.value, env)
        return False

    def _do_Return(self, node: ast.Return, env: Env) -> bool:
        value = self.evaluate(node.value, env) if node.value else Const(None)
        self._use(value)
        stack: list[list[Value]] = self.__dict__.setdefault("returned", [])
        if stack:
            stack[-1].append(value)
        return True

    def _use(self, value: Value, depth: int = 3) -> None:
        for one in options(value):
            if isinstance(one, Tensor):
                self.used |= one.ops
            elif isinstance(one, Items) and depth:
                for _, item in one.pairs:
                    self._use(item, depth - 1)

    def _do_Raise(self, node: ast.Raise, env: Env) -> bool:
        return True

    def _do_Continue(self, node: ast.Continue, env: Env) -> bool:
        return True

    def _do_Break(self, node: ast.Break, env: Env) -> bool:
        return True

    def _do_Assign(self, node: ast.Assign, env: Env) -> bool:
        value = self.evaluate(node.value, env)
        for target in node.targets:
            self.assign(target, value, env)
        return False

    def _do_AnnAssign(self, node: ast.AnnAssign, env: Env) -> bool:
        if node.value is not None:
            self.assign(node.target, self.evaluate(node.value, env), env)
        return False

    def _do_AugAssign(self, node: ast.AugAssign, env: Env) -> bool:
        before = self.evaluate(node.target, env)
        after = self.evaluate(node.value, env)
        if isinstance(before, Items) and isinstance(node.op, ast.Add):
            if isinstance(after, Items):
                before.extend(after.pairs)
            else:
                before.complete = False
            return False
        self.assign(node.target, self.combine(before, after, node), env)
        return False

    def combine(self, first: Value, second: Value, node: ast.AST) -> Value:
        """The result of an operator on two values."""
        tensors = [o for v in (first, second) for o in options(v) if isinstance(o, Tensor)]
        if not tensors:
            return UNKNOWN
        inputs = frozenset().union(*(t.ops for t in tensors))
        kind = getattr(node, "op", None)
        if isinstance(kind, ast.MatMult):
            return self.emit("matmul", node, self.module, inputs)
        return self.emit("join" if len(tensors) > 1 else "arithmetic", node, self.module, inputs)

    def assign(self, target: ast.expr, value: Value, env: Env) -> None:
        """Bind a target."""
        if isinstance(target, ast.Name):
            env.names[target.id] = value
            _name_site(value, target.id)
        elif isinstance(target, ast.Tuple | ast.List):
            self._unpack(target.elts, value, env)
        elif isinstance(target, ast.Starred):
            self.assign(target.value, value, env)
        elif isinstance(target, ast.Attribute):
            holder = self.evaluate(target.value, env)
            for one in options(holder):
                if isinstance(one, Instance):
                    old = one.attributes.get(target.attr)
                    one.attributes[target.attr] = value
                    _name_site(value, target.attr)
                    if old is not None and target.attr not in one.attributes:
                        one.attributes[target.attr] = old
            self._use(value)
        elif isinstance(target, ast.Subscript):
            holder = self.evaluate(target.value, env)
            self._use(value)
            index = self.evaluate(target.slice, env)
            for one in options(holder):
                if isinstance(one, Items):
                    key = str(index.value) if isinstance(index, Const) else None
                    one.pairs = [(k, v) for k, v in one.pairs if k != key]
                    one.add(value, key)

    def _unpack(self, targets: list[ast.expr], value: Value, env: Env) -> None:
        found = value
        if isinstance(value, Choice):
            found = next((v for v in value.values if isinstance(v, Items) and len(v.pairs) == len(targets)), value)
        if isinstance(found, Items) and len(found.pairs) == len(targets):
            for target, (_, item) in zip(targets, found.pairs, strict=True):
                self.assign(target, item, env)
            return
        tensors = any(isinstance(v, Tensor) for v in options(value))
        for target in targets:
            self.assign(target, value if tensors else UNKNOWN, env)

    def _do_If(self, node: ast.If, env: Env) -> bool:
        decided = self.truth(self.evaluate(node.test, env))
        if decided is not None:
            return self.execute(node.body if decided else node.orelse, env)
        before = dict(env.names)
        attributes = self._attributes(env)
        self.branches += self.loops > 0
        left = self.execute(node.body, env)
        after, after_attributes = env.names, self._attributes(env)
        env.names = before
        self._restore(env, attributes)
        right = self.execute(node.orelse, env)
        self.branches -= self.loops > 0
        if left and right:
            return True
        if left:
            self._meet_attributes(env, after_attributes)
            return False
        if right:
            env.names = after
            self._restore(env, after_attributes, keep=True)
            return False
        env.names = _meet(after, env.names)
        self._meet_attributes(env, after_attributes)
        return False

    def _attributes(self, env: Env) -> dict[str, Value]:
        return dict(env.owner.attributes) if env.owner else {}

    def _restore(self, env: Env, attributes: dict[str, Value], *, keep: bool = False) -> None:
        if env.owner:
            env.owner.attributes = {**env.owner.attributes, **attributes} if keep else dict(attributes)

    def _meet_attributes(self, env: Env, other: dict[str, Value]) -> None:
        if env.owner:
            env.owner.attributes = _meet(other, env.owner.attributes)

    def truth(self, value: Value) -> bool | None:
        """Whether a condition is known to hold; a parameter's default does not decide, the user may pass another."""
        if isinstance(value, Const) and not value.name:
            return bool(value.value)
        return None

    def _do_For(self, node: ast.For | ast.AsyncFor, env: Env) -> bool:
        source = self.evaluate(node.iter, env)
        before = dict(env.names)
        self.loops += 1
        for item in self.items(source)[:_LOOPS]:
            self.assign(node.target, item, env)
            self.execute(node.body, env)
        self.loops -= 1
        # The body may also run no time at all; layers in lists that are known always do.
        if not any(isinstance(v, Items) for v in options(source)):
            env.names = _meet(before, env.names)
        self.execute(node.orelse, env)
        return False

    _do_AsyncFor = _do_For

    def items(self, source: Value) -> list[Value]:
        """What a loop over a value sees."""
        found: list[Value] = []
        for one in options(source):
            if isinstance(one, Items):
                found += [Const(k) if one.kind in {"dict", "moduledict"} else v for k, v in one.pairs]
            elif isinstance(one, Tensor):
                found.append(one)
        return found or [UNKNOWN]

    def _do_While(self, node: ast.While, env: Env) -> bool:
        self.evaluate(node.test, env)
        before = dict(env.names)
        self.execute(node.body, env)
        env.names = _meet(before, env.names)
        return False

    def _do_With(self, node: ast.With | ast.AsyncWith, env: Env) -> bool:
        for item in node.items:
            value = self.evaluate(item.context_expr, env)
            if item.optional_vars is not None:
                self.assign(item.optional_vars, value, env)
        return self.execute(node.body, env)

    _do_AsyncWith = _do_With

    def _do_Try(self, node: ast.Try, env: Env) -> bool:
        left = self.execute(node.body, env)
        before = dict(env.names)
        for handler in node.handlers:
            env.names = dict(before)
            if not self.execute(handler.body, env):
                before = _meet(before, env.names)
                left = False
        env.names = before
        if not left:
            left = self.execute(node.orelse, env)
        return self.execute(node.finalbody, env) or left

    _do_TryStar = _do_Try

    def _do_Match(self, node: ast.Match, env: Env) -> bool:
        self.evaluate(node.subject, env)
        before = dict(env.names)
        met: dict[str, Value] = before
        for case in node.cases:
            env.names = dict(before)
            if not self.execute(case.body, env):
                met = _meet(met, env.names)
        env.names = met
        return False

    def _do_FunctionDef(self, node: Function, env: Env) -> bool:
        env.names[node.name] = Callable(node, env.module, env, env.owner, env.home)
        return False

    _do_AsyncFunctionDef = _do_FunctionDef

    def _do_Delete(self, node: ast.Delete, env: Env) -> bool:
        for target in node.targets:
            if isinstance(target, ast.Name):
                env.names.pop(target.id, None)
        return False


_HANDLERS = {getattr(ast, n.removeprefix("_do_")): f for n, f in vars(Executing).items() if n.startswith("_do_")}


def _meet(first: dict[str, Value], second: dict[str, Value]) -> dict[str, Value]:
    if first is second:
        return first
    met = dict(first)
    for name, value in second.items():
        known = met.get(name)
        met[name] = value if known is None else joined(known, value)
    return met


def _name_site(value: Value, name: str) -> None:
    for one in options(value):
        if isinstance(one, LayerValue | Instance) and one.site is None:
            one.site = name
        elif isinstance(one, Items):
            if one.site is None:
                one.site = name
            if one.kind in {"sequential", "modulelist", "moduledict", "list"}:
                for key, item in one.pairs:
                    if not isinstance(item, Bound):
                        _name_site(item, f"{name}.{key}")
