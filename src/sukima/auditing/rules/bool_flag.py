"""SK125: a dropout flag parsed with type=bool."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from sukima.auditing.fixing import replace_node
from sukima.auditing.rule import Rule
from sukima.auditing.source.context import Context
from sukima.base.messages import say
from sukima.records.finding import Finding

__all__ = ["RULE"]

RULE = Rule(
    code="SK125",
    slug="dropout-flag-bool",
    why=(
        "argparse's type=bool is true for every text, 'False' and '0' included, so the flag cannot do what it "
        "says: dropout is silently on or off against the user's wish."
    ),
    remedy="Use action=argparse.BooleanOptionalAction or action='store_true'.",
    bad="""
import argparse

parser = argparse.ArgumentParser()
parser.add_argument("--dropout", type=bool, default=True)
print(parser.parse_args().dropout)
""",
    good="""
import argparse

parser = argparse.ArgumentParser()
parser.add_argument("--dropout", action=argparse.BooleanOptionalAction, default=True)
print(parser.parse_args().dropout)
""",
    references=("https://docs.python.org/3/library/argparse.html#type",),
)


@RULE.source
def check(context: Context) -> Iterator[Finding]:
    """Options with ``drop`` in their name, of type bool, or of type int, which cannot hold a rate."""
    for call in context.calls_by_name.get("add_argument", []):
        names = [a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        kind = next((k for k in call.keywords if k.arg == "type"), None)
        if (
            kind is None
            or not isinstance(kind.value, ast.Name)
            or not any("drop" in n.lower() and "drop_last" not in n.replace("-", "_") for n in names)
        ):
            continue
        if kind.value.id == "bool":
            fix = replace_node(kind.value, 'lambda text: text.lower() in {"1", "true", "yes"}', safe=False)
            yield RULE.at(
                context.module,
                call,
                say("{name} with type=bool is true for every text, 'False' included", name=names[-1]),
                fix=fix,
            )
        elif kind.value.id == "int" and _is_rate(names):
            yield RULE.at(
                context.module,
                call,
                say("{name} with type=int cannot hold a rate between 0 and 1", name=names[-1]),
                fix=replace_node(kind.value, "float", safe=False),
            )


def _is_rate(names: list[str]) -> bool:
    return any(
        n.strip("-").replace("-", "_").lower()
        in {"dropout", "drop_rate", "dropout_rate", "drop_prob", "dropout_prob", "dropout_p"}
        for n in names
    )
