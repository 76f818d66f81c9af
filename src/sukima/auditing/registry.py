"""All rules by code."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from sukima.auditing import rules
from sukima.auditing.rule import Rule
from sukima.base.errors import InputError

__all__ = ["all_rules", "find_rule", "selected_rules"]


@cache
def all_rules() -> dict[str, Rule]:
    """Every rule, in the order of the codes."""
    found = {}
    for entry in pkgutil.iter_modules(rules.__path__):
        module = importlib.import_module(f"{rules.__name__}.{entry.name}")
        rule: Rule = module.RULE
        found[rule.code] = rule
    return dict(sorted(found.items()))


def find_rule(code: str) -> Rule:
    """A rule by code or slug."""
    for rule in all_rules().values():
        if code.upper() == rule.code or code == rule.slug:
            return rule
    raise InputError("no rule is called {code}; `sukima audit --explain all` lists them", code=repr(code))


def selected_rules(select: tuple[str, ...] = (), ignore: tuple[str, ...] = ()) -> list[Rule]:
    """The rules whose code begins with one of ``select`` (all by default) and with none of ``ignore``."""
    for prefix in (*select, *ignore):
        if not any(code.startswith(prefix.upper()) for code in all_rules()):
            raise InputError("no rule is called {code}; `sukima audit --explain all` lists them", code=repr(prefix))
    return [
        rule
        for code, rule in all_rules().items()
        if (not select or any(code.startswith(s.upper()) for s in select))
        and not any(code.startswith(i.upper()) for i in ignore)
    ]
