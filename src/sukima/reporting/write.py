"""One verb for every record: write its report to a file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from sukima.base.errors import InputError
from sukima.records.files import check_writable
from sukima.records.finding import Finding
from sukima.records.history import History
from sukima.records.result import Comparison, TuneResult
from sukima.records.saved import to_record
from sukima.records.verdict import Verdict
from sukima.reporting.blocks import Document
from sukima.reporting.document import audit_document, comparison_document, diagnosis_document, tune_document
from sukima.reporting.html import write_html
from sukima.reporting.json import to_json

__all__ = ["check_report_path", "document_of", "write_report"]

Result = TuneResult | Comparison | Sequence[tuple[Verdict, History]] | Sequence[Finding]
"""What tune, compare, diagnose and audit return. An empty list is an audit that found nothing."""

_SUFFIXES = (".html", ".htm", ".json")


def document_of(result: Result) -> Document:
    """The report on ``result``, to draw anywhere."""
    if isinstance(result, TuneResult):
        return tune_document(result)
    if isinstance(result, Comparison):
        return comparison_document(result)
    if isinstance(result, list | tuple):
        findings = [item for item in result if isinstance(item, Finding)]
        if len(findings) == len(result):
            return audit_document(findings)
        judged = [item for item in result if not isinstance(item, Finding) and _is_judged(item)]
        if len(judged) == len(result):
            return diagnosis_document(judged)
    raise InputError(
        "result must be what tune, compare, diagnose or audit returned, got {value}", value=type(result).__name__
    )


def _is_judged(item: object) -> bool:
    return isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], Verdict) and isinstance(item[1], History)


def check_report_path(path: str | Path) -> Path:
    """``path``, if a report can be written there; asked before long work so that its result is not lost."""
    path = check_writable(path)
    if path.suffix.lower() not in _SUFFIXES:
        raise InputError(
            "{path}: a report is a .html or .json file, got {suffix}", path=path, suffix=path.suffix or "–"
        )
    return path


def write_report(result: Result, path: str | Path) -> Path:
    """Write the report on ``result`` as a page (``.html``) or for machines (``.json``), and return where it is.

    The ``.json`` of tune and compare also holds, under ``record``, all that the page is drawn from: `load_result`
    reads it back.

    Raises ``InputError`` if nothing can be written there or ``result`` is no result.
    """
    path = check_report_path(path)
    document = document_of(result)
    try:
        if path.suffix.lower() == ".json":
            path.write_text(_json(result) + "\n", encoding="utf-8")
        else:
            write_html(document, path)
    except OSError as error:
        raise InputError("{path}: cannot be written ({why})", path=path, why=error.strerror) from None
    return path


def _json(result: Result) -> str:
    text = to_json(result)
    if not isinstance(result, TuneResult | Comparison):
        return text
    return json.dumps({**json.loads(text), "record": to_record(result)}, ensure_ascii=False)
