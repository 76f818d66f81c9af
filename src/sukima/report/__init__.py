"""Reports: one document made from records, drawn in the terminal, as a page, or for machines.

The package is also the verb: ``sukima.report(result, "report.html")``. Python puts an imported package under its name
in the package above, so that a function of the same name would be found only until the first report is written.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

from sukima.report.write import Result, check_report_path, document_of, write_report

__all__ = ["check_report_path", "document_of", "write_report"]


class _Verb(ModuleType):
    """The package, callable."""

    def __call__(self, result: Result, path: str | Path = "sukima-report.html") -> Path:
        """As `write_report`."""
        return write_report(result, path)


sys.modules[__name__].__class__ = _Verb
