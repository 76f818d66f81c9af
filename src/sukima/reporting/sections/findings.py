"""What audit found: an answer, a table, and each finding at its place in the network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sukima.base.messages import Message, say
from sukima.records.finding import Finding, Severity
from sukima.records.recipe import Recipe
from sukima.records.site import Site
from sukima.reporting.blocks import Block, Column, Headline, Network, NetworkSite, Paragraph, Row, Table, Tone
from sukima.reporting.sections.sites import rate_at, units_of
from sukima.reporting.text import Text

__all__ = ["findings_headline", "findings_network", "findings_table", "severity_name"]

_TONES: dict[Severity, Tone] = {"error": "bad", "warning": "warning", "advice": "neutral"}
_ORDER: tuple[Severity, ...] = ("error", "warning", "advice")


def severity_name(severity: Severity) -> Message:
    """The severity in the reader's words."""
    names: dict[Severity, Message] = {"error": say("error"), "warning": say("warning"), "advice": say("advice")}
    return names[severity]


def findings_headline(findings: Sequence[Finding]) -> Headline:
    """Is anything wired wrong?"""
    question = say("Is dropout wired right?")
    if not findings:
        return Headline("good", question, say("Nothing wrong found"), say("Every rule was met."))
    counts = Counter(finding.severity for finding in findings)
    worst = next(severity for severity in _ORDER if counts[severity])
    answers: dict[Severity, Message] = {
        "error": say("No"),
        "warning": say("Perhaps not"),
        "advice": say("Yes, with advice"),
    }
    detail = say(
        "Errors (always wrong): {errors}. Warnings (likely wrong): {warnings}. Advice: {advice}.",
        errors=counts["error"],
        warnings=counts["warning"],
        advice=counts["advice"],
    )
    return Headline(_TONES[worst], question, answers[worst], detail)


def findings_table(findings: Sequence[Finding]) -> Block:
    """Every finding with its place and its remedy, the gravest first."""
    if not findings:
        return Paragraph(say("There is nothing to mend."))
    columns = (
        Column(say("severity"), number=False),
        Column(say("code"), number=False),
        Column(say("where"), number=False),
        Column(say("what"), number=False, wide=True),
        Column(say("remedy"), number=False, wide=True),
    )
    ordered = sorted(findings, key=lambda finding: (_ORDER.index(finding.severity), finding.key))
    return Table(columns, tuple(_row(finding) for finding in ordered))


def _row(finding: Finding) -> Row:
    return Row((severity_name(finding.severity), finding.code, _where(finding), finding.message, finding.remedy or ""))


def _where(finding: Finding) -> Text:
    place = f"{finding.path}:{finding.line}" if finding.path and finding.line else finding.path or ""
    if finding.site and place:
        return say("{place}, site {site}", place=place, site=finding.site)
    return say("site {site}", site=finding.site) if finding.site else place


def findings_network(model: str, sites: Sequence[Site], findings: Sequence[Finding]) -> Network:
    """The network with its rates, and at each site what was found there."""
    return Network(
        model,
        tuple(
            NetworkSite(
                site.name,
                site.kind,
                site.after,
                rate_at(site, Recipe()),
                not site.exists,
                units_of(site.after),
                findings=tuple(
                    say("{code}: {message}", code=found.code, message=found.message)
                    for found in findings
                    if found.site == site.name
                ),
            )
            for site in sites
        ),
    )
