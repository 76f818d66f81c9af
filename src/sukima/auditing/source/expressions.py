"""Following expressions."""

# ruff: noqa: N802 - methods are named after the classes of ast nodes that they follow

from __future__ import annotations

import ast
import builtins

from sukima.auditing.source.containers import EvaluatingContainers
from sukima.auditing.source.spelling import canonical
from sukima.auditing.source.values import (
    UNKNOWN,
    Bound,
    Callable,
    Choice,
    Const,
    Env,
    GraphModel,
    Instance,
    Items,
    LayerValue,
    Ref,
    Symbol,
    Tensor,
    Value,
    joined,
    named,
    options,
)

__all__ = ["Evaluating"]

_SAME = frozenset({"T", "mT", "data", "H", "real", "values", "last_hidden_state"})
_BUILTINS = frozenset(dir(builtins))


class Evaluating(EvaluatingContainers):
    """Expressions."""

    def evaluate(self, node: ast.AST, env: Env) -> Value:
        """The value of an expression."""
        self.step()
        handler = _HANDLERS.get(node.__class__)
        if handler is None:
            return UNKNOWN
        result: Value = handler(self, node, env)
        return result

    def _eval_Constant(self, node: ast.Constant, env: Env) -> Value:
        return Const(node.value)

    def _eval_Name(self, node: ast.Name, env: Env) -> Value:
        value = env.get(node.id)
        if value is None:
            return self.global_name(node, env)
        for one in options(value):
            if isinstance(one, Tensor):
                self.used |= one.ops
        return value

    def global_name(self, node: ast.Name, env: Env) -> Value:
        """A name that is no variable of the function: an import, a class, a constant of the module."""
        dotted = env.module.dotted(node)
        if dotted is not None:
            return Ref(dotted)
        for binding in reversed(env.module.scope.names.get(node.id, [])):
            if isinstance(binding, ast.Constant):
                return Const(binding.value, node.id)
        if node.id in _BUILTINS:
            return Ref(f"builtins.{node.id}")
        return Symbol(node.id)

    def _eval_Attribute(self, node: ast.Attribute, env: Env) -> Value:
        holder = self.evaluate(node.value, env)
        if isinstance(holder, Choice):
            result: Value | None = None
            for one in holder.values:
                value = self.attribute(one, node.attr, env, node)
                result = value if result is None else joined(result, value)
            return result or UNKNOWN
        return self.attribute(holder, node.attr, env, node)

    def attribute(self, value: Value, name: str, env: Env, node: ast.AST) -> Value:
        """An attribute of a value."""
        if isinstance(value, Ref):
            return Ref(canonical(f"{value.dotted}.{name}"))
        if isinstance(value, Instance):
            return self._member(value, name)
        if isinstance(value, Tensor):
            return value if name in _SAME else Bound(value, name)
        if isinstance(value, Symbol):
            return Symbol(f"{value.text}.{name}")
        if isinstance(value, LayerValue):
            if name == "p":
                return value.argument(value.spec.rate) or UNKNOWN
            return Bound(value, name)
        if isinstance(value, Items | GraphModel):
            return Bound(value, name)
        return UNKNOWN

    def _member(self, owner: Instance, name: str) -> Value:
        self.settle(owner)
        if name in owner.attributes:
            return owner.attributes[name]
        home = owner.cls.home(name)
        if home is not None:
            method = home.methods[name]
            decorators = {d.id for d in method.decorator_list if isinstance(d, ast.Name)}
            if decorators & {"property", "cached_property"}:
                env = Env(home.module, {a.arg: owner for a in method.args.args[:1]}, None, owner, home)
                return self.run_body(method, env)
            return Callable(method, home.module, None, None if "staticmethod" in decorators else owner, home)
        for info in owner.cls.mro:
            for statement in info.node.body:
                target = getattr(statement, "target", None) or next(iter(getattr(statement, "targets", [])), None)
                if (
                    isinstance(target, ast.Name)
                    and target.id == name
                    and isinstance(statement, ast.Assign | ast.AnnAssign)
                ):
                    value = statement.value
                    if isinstance(value, ast.Constant):
                        return Const(value.value, name)
                    if isinstance(value, ast.Name | ast.Attribute):
                        return self.evaluate(value, Env(info.module))
        if name in {"add_module", "register_module", "add", "modules", "children", "parameters"}:
            return Bound(owner, name)
        return Symbol(f"self.{name}")

    def _eval_Call(self, node: ast.Call, env: Env) -> Value:
        if isinstance(node.func, ast.Name) and node.func.id == "super":
            return Ref("super")
        if (
            isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Call)
            and isinstance(node.func.value.func, ast.Name)
            and node.func.value.func.id == "super"
        ):
            return self._super_call(node, node.func.attr, env)
        callee = self.evaluate(node.func, env)
        args, keywords = self._arguments(node, env)
        return self.apply(callee, args, keywords, node, env)

    def _arguments(self, node: ast.Call, env: Env) -> tuple[list[Value], dict[str, Value]]:
        args: list[Value] = []
        for arg in node.args:
            if isinstance(arg, ast.Starred):
                args.extend(self.starred(self.evaluate(arg.value, env)))
            else:
                args.append(self.evaluate(arg, env))
        keywords = {k.arg: self.evaluate(k.value, env) for k in node.keywords if k.arg is not None}
        for k in node.keywords:
            if k.arg is None:
                self.evaluate(k.value, env)
        return args, keywords

    def _super_call(self, node: ast.Call, name: str, env: Env) -> Value:
        args, keywords = self._arguments(node, env)
        base = self.super_of(env)
        home = base.home(name) if base else None
        if home is None or env.owner is None:
            if name == "__init__":
                return Const(None)
            return self.apply(UNKNOWN, args, keywords, node, env)
        method = home.methods[name]
        if name == "__init__":
            self.initialise_from(env.owner, home, named(args, keywords))
            return Const(None)
        return self.apply(Callable(method, home.module, None, env.owner, home), args, keywords, node, env)

    def _eval_BinOp(self, node: ast.BinOp, env: Env) -> Value:
        left, right = self.evaluate(node.left, env), self.evaluate(node.right, env)
        if isinstance(left, Items) and isinstance(right, Items) and isinstance(node.op, ast.Add):
            whole = Items(left.kind, complete=left.complete and right.complete)
            for _, item in (*left.pairs, *right.pairs):
                whole.add(item)
            return whole
        if isinstance(left, Items) and isinstance(node.op, ast.Mult):
            return left
        if isinstance(left, Const) and isinstance(right, Const):
            return _arithmetic(node.op, left, right)
        return self.combine(left, right, node)

    def _eval_UnaryOp(self, node: ast.UnaryOp, env: Env) -> Value:
        value = self.evaluate(node.operand, env)
        if isinstance(value, Const) and not value.name:
            if isinstance(node.op, ast.Not):
                return Const(not value.value)
            if isinstance(node.op, ast.USub) and isinstance(value.value, int | float):
                return Const(-value.value)
        return value if any(isinstance(v, Tensor) for v in options(value)) else UNKNOWN

    def _eval_BoolOp(self, node: ast.BoolOp, env: Env) -> Value:
        values = [self.evaluate(value, env) for value in node.values]
        if isinstance(node.op, ast.Or):
            result = values[0]
            for value in values[1:]:
                result = joined(result, value)
            return result
        known = [v for v in values if isinstance(v, Const) and not v.name]
        if any(not v.value for v in known):
            return Const(False)
        return UNKNOWN

    def _eval_Compare(self, node: ast.Compare, env: Env) -> Value:
        left = self.evaluate(node.left, env)
        right = self.evaluate(node.comparators[0], env)
        for comparator in node.comparators[1:]:
            self.evaluate(comparator, env)
        if isinstance(right, Const) and right.value is None and len(node.ops) == 1:
            none = isinstance(left, Const) and left.value is None and not left.name
            some = isinstance(left, LayerValue | Instance | Items | Tensor | Callable)
            if none or some:
                return Const(none == isinstance(node.ops[0], ast.Is | ast.Eq))
        return UNKNOWN

    def _eval_IfExp(self, node: ast.IfExp, env: Env) -> Value:
        test = self.evaluate(node.test, env)
        if isinstance(test, Const) and not test.name:
            return self.evaluate(node.body if test.value else node.orelse, env)
        return joined(self.evaluate(node.body, env), self.evaluate(node.orelse, env))

    def _eval_Lambda(self, node: ast.Lambda, env: Env) -> Value:
        return Callable(node, env.module, env, env.owner, env.home)

    def _eval_NamedExpr(self, node: ast.NamedExpr, env: Env) -> Value:
        value = self.evaluate(node.value, env)
        self.assign(node.target, value, env)
        return value

    def _eval_Await(self, node: ast.Await, env: Env) -> Value:
        return self.evaluate(node.value, env)

    def _eval_Yield(self, node: ast.Yield, env: Env) -> Value:
        if node.value is not None:
            for one in options(self.evaluate(node.value, env)):
                if isinstance(one, Tensor):
                    self.used |= one.ops
        return UNKNOWN

    def _eval_Starred(self, node: ast.Starred, env: Env) -> Value:
        return self.evaluate(node.value, env)

    def _eval_JoinedStr(self, node: ast.JoinedStr, env: Env) -> Value:
        return UNKNOWN


_HANDLERS = {
    getattr(ast, name.removeprefix("_eval_")): function
    for part in (EvaluatingContainers, Evaluating)
    for name, function in vars(part).items()
    if name.startswith("_eval_")
}


def _arithmetic(op: ast.operator, left: Const, right: Const) -> Value:
    a, b = left.value, right.value
    if isinstance(a, bool) or isinstance(b, bool) or not isinstance(a, int | float) or not isinstance(b, int | float):
        return UNKNOWN
    name = left.name or right.name
    if abs(a) > 1e9 or abs(b) > 1e9:
        return UNKNOWN
    if isinstance(op, ast.Add):
        return Const(a + b, name)
    if isinstance(op, ast.Sub):
        return Const(a - b, name)
    if isinstance(op, ast.Mult):
        return Const(a * b, name)
    if isinstance(op, ast.Div) and b:
        return Const(a / b, name)
    if isinstance(op, ast.FloorDiv) and b:
        return Const(a // b, name)
    return UNKNOWN
