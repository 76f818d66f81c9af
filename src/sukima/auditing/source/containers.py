"""Following lists, tuples, dicts, comprehensions and what is taken out of them."""

# ruff: noqa: N802 - methods are named after the classes of ast nodes that they follow

from __future__ import annotations

import ast

from sukima.auditing.source.state import State
from sukima.auditing.source.values import UNKNOWN, Const, Env, Items, Tensor, Value, joined, options

__all__ = ["EvaluatingContainers"]


class EvaluatingContainers(State):
    """Expressions that make containers or look into them."""

    @staticmethod
    def starred(value: Value) -> list[Value]:
        """The arguments that ``*value`` stands for."""
        for one in options(value):
            if isinstance(one, Items):
                return [item for _, item in one.pairs]
        return [value if isinstance(value, Tensor) else UNKNOWN]

    def _eval_Subscript(self, node: ast.Subscript, env: Env) -> Value:
        holder, index = self.evaluate(node.value, env), self.evaluate(node.slice, env)
        found: Value | None = None
        for one in options(holder):
            value = self._item(one, index, node)
            found = value if found is None else joined(found, value)
        return found or UNKNOWN

    def _item(self, holder: Value, index: Value, node: ast.Subscript) -> Value:
        if isinstance(holder, Tensor):
            return self.emit("shape", node, self.module, holder.ops)
        if not isinstance(holder, Items):
            return UNKNOWN
        if isinstance(node.slice, ast.Slice):
            return Items(holder.kind, list(holder.pairs), holder.site, holder.node, holder.module, False)
        if isinstance(index, Const) and not index.name:
            if isinstance(index.value, int) and holder.kind not in {"dict", "moduledict"}:
                at = index.value
                return holder.pairs[at][1] if -len(holder.pairs) <= at < len(holder.pairs) else UNKNOWN
            for key, item in holder.pairs:
                if key == str(index.value):
                    return item
        result: Value | None = None
        for _, item in holder.pairs[:8]:
            result = item if result is None else joined(result, item)
        return result or UNKNOWN

    def _sequence(self, kind: str, elements: list[ast.expr], env: Env) -> Items:
        made = Items(kind)
        for element in elements:
            if isinstance(element, ast.Starred):
                inner = self.evaluate(element.value, env)
                made.complete = made.complete and isinstance(inner, Items)
                for item in self.starred(inner):
                    made.add(item)
            else:
                made.add(self.evaluate(element, env))
        return made

    def _eval_List(self, node: ast.List, env: Env) -> Value:
        return self._sequence("list", node.elts, env)

    def _eval_Tuple(self, node: ast.Tuple, env: Env) -> Value:
        return self._sequence("tuple", node.elts, env)

    def _eval_Set(self, node: ast.Set, env: Env) -> Value:
        return self._sequence("set", node.elts, env)

    def _eval_Dict(self, node: ast.Dict, env: Env) -> Value:
        made = Items("dict")
        for key, value in zip(node.keys, node.values, strict=True):
            name = str(key.value) if isinstance(key, ast.Constant) else None
            item = self.evaluate(value, env)
            if key is None:
                made.complete = False
                continue
            made.add(item, name)
        return made

    def _comprehension(self, node: ast.ListComp | ast.GeneratorExp | ast.SetComp, env: Env) -> Value:
        inner = Env(env.module, {}, env, env.owner, env.home)
        sources = [self.evaluate(generator.iter, inner) for generator in node.generators[:1]]
        made = Items("list", complete=False)
        for item in self.items(sources[0])[:12]:
            self.assign(node.generators[0].target, item, inner)
            for generator in node.generators[1:]:
                for deeper in self.items(self.evaluate(generator.iter, inner))[:1]:
                    self.assign(generator.target, deeper, inner)
            made.add(self.evaluate(node.elt, inner))
        return made

    def _eval_ListComp(self, node: ast.ListComp, env: Env) -> Value:
        return self._comprehension(node, env)

    def _eval_GeneratorExp(self, node: ast.GeneratorExp, env: Env) -> Value:
        return self._comprehension(node, env)

    def _eval_SetComp(self, node: ast.SetComp, env: Env) -> Value:
        return self._comprehension(node, env)

    def _eval_DictComp(self, node: ast.DictComp, env: Env) -> Value:
        inner = Env(env.module, {}, env, env.owner, env.home)
        made = Items("dict", complete=False)
        for item in self.items(self.evaluate(node.generators[0].iter, inner))[:12]:
            self.assign(node.generators[0].target, item, inner)
            key = self.evaluate(node.key, inner)
            made.add(self.evaluate(node.value, inner), str(key.value) if isinstance(key, Const) else None)
        return made
