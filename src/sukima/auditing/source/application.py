"""Following calls: what is called decides who follows."""

from __future__ import annotations

import ast

from sukima.auditing.source.applied_layers import ApplyingLayers
from sukima.auditing.source.applied_methods import ApplyingMethods
from sukima.auditing.source.applied_names import ApplyingNames
from sukima.auditing.source.applied_project import ApplyingProject
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
    Ref,
    Value,
    joined,
)

__all__ = ["Applying"]


class Applying(ApplyingLayers, ApplyingNames, ApplyingMethods, ApplyingProject):
    """Calls."""

    def apply(self, callee: Value, args: list[Value], keywords: dict[str, Value], node: ast.AST, env: Env) -> Value:
        """The result of a call."""
        self.step()
        if isinstance(callee, Choice):
            result: Value | None = None
            for one in callee.values:
                if isinstance(one, Const):
                    continue
                value = self.apply(one, args, keywords, node, env)
                result = value if result is None else joined(result, value)
            return result or UNKNOWN
        if isinstance(callee, LayerValue):
            return self.apply_layer(callee, args, keywords, node, env)
        if isinstance(callee, Ref):
            return self.apply_name(callee.dotted, args, keywords, node, env)
        if isinstance(callee, Callable):
            return self.apply_function(callee, args, keywords, node, env)
        if isinstance(callee, Instance):
            return self.apply_instance(callee, args, keywords, node, env)
        if isinstance(callee, Items) and callee.kind == "sequential":
            return self.apply_sequential(callee, args, node, env)
        if isinstance(callee, Bound):
            return self.apply_method(callee, args, keywords, node, env)
        return self.opaque(args, keywords, node, env)
