"""Reports: one document made from records, drawn in the terminal, as a page, or for machines."""

from __future__ import annotations

from sukima.reporting.write import check_report_path, document_of, write_report

__all__ = ["check_report_path", "document_of", "write_report"]
