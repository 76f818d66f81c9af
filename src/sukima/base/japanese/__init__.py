"""The Japanese of every text, under its English template; one file a subject.

A test fails where a template has no Japanese or where the two name different values.
"""

from __future__ import annotations

from sukima.base.japanese import base, records, report

__all__ = ["CATALOGUE"]

CATALOGUE: dict[str, str] = {**base.TEXTS, **records.TEXTS, **report.TEXTS}
