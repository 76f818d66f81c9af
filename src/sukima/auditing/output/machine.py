"""Findings for machines: JSON, SARIF, GitHub annotations, and lines as linters print them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import sukima
from sukima.auditing.registry import all_rules
from sukima.records.finding import Finding

__all__ = ["to_github", "to_json", "to_lines", "to_sarif"]

_LEVELS = {"error": "error", "warning": "warning", "advice": "note"}
_COMMANDS = {"error": "error", "warning": "warning", "advice": "notice"}


def to_json(findings: Sequence[Finding]) -> str:
    """The stable form: a list of ``{code, severity, path, line, site, message, fix}``."""
    return json.dumps([finding.to_dict() for finding in findings], ensure_ascii=False, indent=2)


def to_lines(findings: Sequence[Finding]) -> str:
    """``path:line:column: code message``, which editors and flake8's readers understand."""
    return "\n".join(f"{where(finding)}: {finding.code} {finding.message}" for finding in findings)


def where(finding: Finding) -> str:
    """``path:line:column``, or the site of a live model."""
    if finding.path is None:
        return finding.site or "model"
    return f"{finding.path}:{finding.line or 1}:{finding.column + 1}"


def to_github(findings: Sequence[Finding]) -> str:
    """Workflow commands that annotate a pull request."""
    lines = []
    for finding in findings:
        place = (
            f" file={_property(finding.path)},line={finding.line or 1},col={finding.column + 1},"
            if finding.path
            else " "
        )
        message = _data(f"{finding.message}\n{finding.remedy or ''}".strip())
        lines.append(f"::{_COMMANDS[finding.severity]}{place}title={finding.code}::{message}")
    return "\n".join(lines)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def to_sarif(findings: Sequence[Finding]) -> str:
    """SARIF 2.1.0, which code scanning services read."""
    used = sorted({finding.code for finding in findings})
    rules = [_rule(code) for code in used]
    results = [_result(finding, used.index(finding.code)) for finding in findings]
    driver = {
        "name": "sukima",
        "version": sukima.__version__,
        "informationUri": "https://sukima.readthedocs.io",
        "rules": rules,
    }
    document = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    }
    return json.dumps(document, ensure_ascii=False, indent=2)


def _rule(code: str) -> dict[str, Any]:
    rule = all_rules()[code]
    return {
        "id": code,
        "name": "".join(part.capitalize() for part in rule.slug.split("-")),
        "shortDescription": {"text": rule.slug.replace("-", " ")},
        "fullDescription": {"text": str(rule.text("why"))},
        "help": {"text": str(rule.text("remedy"))},
    }


def _result(finding: Finding, index: int) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": str(finding.message)},
    }
    location: dict[str, Any] = {}
    if finding.path is not None:
        location["physicalLocation"] = {
            "artifactLocation": {"uri": finding.path.replace("\\", "/")},
            "region": {"startLine": finding.line or 1, "startColumn": finding.column + 1},
        }
    if finding.site:
        location["logicalLocations"] = [{"fullyQualifiedName": finding.site}]
    if location:
        result["locations"] = [location]
    return result
