"""Following statements."""

# ruff: noqa: N802, N815 - methods are named after the classes of ast nodes that they follow

from __future__ import annotations

import ast

from sukima.auditing.source.branches import ExecutingBranches
from sukima.auditing.source.names import Function
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


class Executing(ExecutingBranches):
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

    def _do_FunctionDef(self, node: Function, env: Env) -> bool:
        env.names[node.name] = Callable(node, env.module, env, env.owner, env.home)
        return False

    _do_AsyncFunctionDef = _do_FunctionDef

    def _do_Delete(self, node: ast.Delete, env: Env) -> bool:
        for target in node.targets:
            if isinstance(target, ast.Name):
                env.names.pop(target.id, None)
        return False


_HANDLERS = {
    getattr(ast, name.removeprefix("_do_")): function
    for part in (ExecutingBranches, Executing)
    for name, function in vars(part).items()
    if name.startswith("_do_")
}


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
