"""Following conditions, loops and what else goes several ways, which meet again behind it."""

# ruff: noqa: N802, N815 - methods are named after the classes of ast nodes that they follow

from __future__ import annotations

import ast

from sukima.auditing.source.state import State
from sukima.auditing.source.values import UNKNOWN, Const, Env, Items, Tensor, Value, joined, options

__all__ = ["ExecutingBranches"]

_LOOPS = 5


class ExecutingBranches(State):
    """Statements with bodies of their own."""

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


def _meet(first: dict[str, Value], second: dict[str, Value]) -> dict[str, Value]:
    if first is second:
        return first
    met = dict(first)
    for name, value in second.items():
        known = met.get(name)
        met[name] = value if known is None else joined(known, value)
    return met
