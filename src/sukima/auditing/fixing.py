"""Edits to source text, and applying them: formatting and comments stay as they are."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterable
from pathlib import Path

from sukima.auditing.source.names import Module
from sukima.auditing.source.reading import LINE_END
from sukima.records.finding import Edit, Finding, Fix

__all__ = ["add_argument", "apply_edits", "diff", "fixed_text", "insert_before", "remove_argument", "replace_node"]


def add_argument(module: Module, call: ast.Call, text: str, *, safe: bool = True) -> Fix | None:
    """Add an argument at the end of a call, after what stands there."""
    if call.end_lineno is None or call.end_col_offset is None:
        return None
    given: list[ast.expr] = [*call.args, *(k.value for k in call.keywords)]
    if not given:
        line, column = call.end_lineno, call.end_col_offset - 1
        return Fix((Edit(line, column, line, column, text),), safe)
    last = max(given, key=lambda node: (node.end_lineno or 0, node.end_col_offset or 0))
    line, column = _after_parentheses(module, last, call)
    return Fix((Edit(line, column, line, column, f", {text}"),), safe)


def _after_parentheses(module: Module, last: ast.expr, call: ast.Call) -> tuple[int, int]:
    """Behind the last argument and the brackets that close round it, before a comma or the call's own bracket."""
    line, column = last.end_lineno or 1, last.end_col_offset or 0
    lines = module.source.lines
    end = (call.end_lineno or line, (call.end_col_offset or column) - 1)
    at = (line, column)
    while True:
        data = lines[line - 1].encode() if line <= len(lines) else b""
        while column < len(data) and (line, column) < end:
            char = data[column : column + 1]
            if char in b" \t":
                column += 1
                continue
            if char == b")":
                column += 1
                at = (line, column)
                continue
            return at
        if line >= end[0]:
            return at
        line, column = line + 1, 0


def replace_node(node: ast.expr, text: str, *, safe: bool) -> Fix | None:
    """Replace an expression."""
    if node.end_lineno is None or node.end_col_offset is None:
        return None
    return Fix((Edit(node.lineno, node.col_offset, node.end_lineno, node.end_col_offset, text),), safe)


def insert_before(node: ast.stmt | ast.expr, text: str, *, safe: bool) -> Fix:
    """Insert text right before a node."""
    return Fix((Edit(node.lineno, node.col_offset, node.lineno, node.col_offset, text),), safe)


def remove_argument(module: Module, keyword: ast.keyword, *, safe: bool) -> Fix | None:
    """Take a keyword argument out of a call, with the comma before it; only where both stand on one line."""
    if keyword.end_lineno != keyword.lineno or keyword.end_col_offset is None:
        return None
    before = module.source.lines[keyword.lineno - 1].encode()[: keyword.col_offset]
    kept = before.rstrip().removesuffix(b",")
    if not before.rstrip().endswith(b","):
        return None
    return Fix((Edit(keyword.lineno, len(kept), keyword.lineno, keyword.end_col_offset, ""),), safe)


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """The text with the edits made; of two that overlap the first stands."""
    starts = [0, *(len(text[: match.end()].encode()) for match in LINE_END.finditer(text))]
    data = text.encode()
    done: list[tuple[int, int, bytes]] = []
    last = -1
    for edit in sorted(set(edits)):
        begin, end = starts[edit.line - 1] + edit.column, starts[edit.end_line - 1] + edit.end_column
        if begin < last or (begin == last and done and done[-1][0] == begin):
            continue
        done.append((begin, end, edit.text.encode()))
        last = end
    for begin, end, new in reversed(done):
        data = data[:begin] + new + data[end:]
    return data.decode()


def fixed_text(text: str, findings: Iterable[Finding], *, unsafe: bool = False) -> str:
    """The text with the fixes of its findings made, if Python still understands it then."""
    edits = [edit for f in findings if f.fix and (f.fix.safe or unsafe) for edit in f.fix.edits]
    if not edits:
        return text
    changed = apply_edits(text, edits)
    try:
        ast.parse(changed)
    except SyntaxError:
        return text
    return changed


def diff(path: Path, before: str, after: str) -> str:
    """What changed, as a unified diff."""
    return "".join(
        difflib.unified_diff(
            before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{path}", f"b/{path}"
        )
    )
