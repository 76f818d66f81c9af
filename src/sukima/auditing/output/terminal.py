"""Findings for people: the source line, what is wrong, and what to write instead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from rich.console import Console
from rich.text import Text

from sukima.auditing.output.machine import where
from sukima.auditing.rule import Rule
from sukima.auditing.source.reading import UnreadableError, read
from sukima.base.messages import Message, say
from sukima.records.finding import Finding

__all__ = ["print_explanation", "print_findings"]

_STYLES = {"error": "bold red", "warning": "yellow", "advice": "cyan"}


def print_findings(console: Console, findings: Sequence[Finding], files: int) -> None:
    """Each finding with its line, then how many there are."""
    for finding in findings:
        style = _STYLES[finding.severity]
        console.print(Text.assemble((where(finding), "bold"), " ", (finding.code, style), " ", str(finding.message)))
        line = _source_line(finding)
        if line.strip():
            console.print(Text(f"  │ {line.strip()}", style="dim"))
        if finding.remedy:
            console.print(Text.assemble("  ", ("→ ", "green"), str(finding.remedy)))
    console.print(Text(str(_summary(findings, files)), style="bold"))
    fixable = sum(1 for finding in findings if finding.fix and finding.fix.safe)
    if fixable:
        console.print(str(say("{count} can be fixed with --fix", count=fixable)))


def _summary(findings: Sequence[Finding], files: int) -> Message:
    counted = Counter(finding.severity for finding in findings)
    errors, warnings, advice = counted["error"], counted["warning"], counted["advice"]
    return say(
        "{files}: {errors}, {warnings}, {advice}",
        files=say("{count} file", count=files) if files == 1 else say("{count} files", count=files),
        errors=say("{count} error", count=errors) if errors == 1 else say("{count} errors", count=errors),
        warnings=say("{count} warning", count=warnings) if warnings == 1 else say("{count} warnings", count=warnings),
        advice=say("{count} piece of advice", count=advice)
        if advice == 1
        else say("{count} pieces of advice", count=advice),
    )


@lru_cache(maxsize=64)
def _lines(path: str) -> tuple[str, ...]:
    try:
        return tuple(read(Path(path), path).text.splitlines()) if not path.endswith(".ipynb") else ()
    except UnreadableError:
        return ()


def _source_line(finding: Finding) -> str:
    if finding.path is None or finding.line is None:
        return ""
    lines = _lines(finding.path)
    return lines[finding.line - 1] if finding.line <= len(lines) else ""


def print_explanation(console: Console, rule: Rule) -> None:
    """A rule: why, an example of each kind, what to do, and where to read on."""
    console.print(Text.assemble((rule.code, "bold"), " ", rule.slug))
    console.print(Text(f"\n{rule.text('why')}\n"))
    for title, code in ((say("Wrong:"), rule.bad), (say("Right:"), rule.good)):
        console.print(Text(str(title), style="bold"))
        console.print(Text("\n".join(f"    {line}" if line else "" for line in code.strip().splitlines()) + "\n"))
    console.print(Text.assemble(("→ ", "green"), str(rule.text("remedy"))))
    for reference in rule.references:
        console.print(Text(reference, style="dim"))
