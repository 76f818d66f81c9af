"""The report on an audit."""

import json
from pathlib import Path

from sukima.base.messages import say
from sukima.records.finding import Finding
from sukima.records.site import Site
from sukima.reporting.blocks import Headline, Network, Paragraph, Table
from sukima.reporting.document import audit_document
from sukima.reporting.html import page_html
from sukima.reporting.text import in_language
from sukima.reporting.write import write_report

FINDINGS = [
    Finding("SK301", say("rate {rate}", rate="0.9"), site="fc.1"),
    Finding("SK101", say("output"), path="model.py", line=12, remedy=say("There is nothing to mend.")),
    Finding("SK201", say("site {site}", site="<b>"), path="<i>.py", line=3, site="fc.1"),
]


def test_gravest_first() -> None:
    headline, table = (section.blocks[0] for section in audit_document(FINDINGS).sections)
    assert isinstance(headline, Headline)
    assert (headline.tone, in_language(headline.answer, "en")) == ("bad", "No")
    assert isinstance(table, Table)
    assert [row.cells[1] for row in table.rows] == ["SK101", "SK201", "SK301"]
    assert [in_language(row.cells[2], "en") for row in table.rows] == [
        "model.py:12", "<i>.py:3, site fc.1", "site fc.1"
    ]  # fmt: skip


def test_findings_stand_at_their_place_in_the_network() -> None:
    sites = [Site(name="fc.1", after="Linear(4, 8)", rate=0.9), Site(name="fc.3")]
    network = audit_document(FINDINGS, "Net", sites).sections[-1].blocks[0]
    assert isinstance(network, Network)
    assert [len(site.findings) for site in network.sites] == [2, 0]
    page = page_html(audit_document(FINDINGS, "Net", sites))
    assert page.count('class="found"') == 2
    assert "SK201: site &lt;b&gt;" in page


def test_nothing_found_is_said(tmp_path: Path) -> None:
    headline, below = (section.blocks[0] for section in audit_document([]).sections)
    assert isinstance(headline, Headline)
    assert headline.tone == "good"
    assert isinstance(below, Paragraph)
    assert "Nothing wrong found" in write_report([], tmp_path / "audit.html").read_text(encoding="utf-8")


def test_for_machines(tmp_path: Path) -> None:
    found = json.loads(write_report(FINDINGS, tmp_path / "audit.json").read_text(encoding="utf-8"))
    assert [set(one) for one in found] == [{"code", "severity", "path", "line", "site", "message", "fix"}] * 3
