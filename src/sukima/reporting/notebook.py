"""Results that show themselves in notebooks."""

from __future__ import annotations

from sukima.reporting.html import page_html
from sukima.reporting.markup import element
from sukima.reporting.write import Result, document_of

__all__ = ["notebook_html"]


def notebook_html(result: Result) -> str:
    """The whole page in a frame of its own, so that neither it nor the notebook can change the look of the other.

    The frame's height can be dragged. The frame is sandboxed: its script runs, but reaches nothing outside.
    """
    return element(
        "iframe",
        srcdoc=page_html(document_of(result)),
        sandbox="allow-scripts",
        style="width:100%;height:640px;border:0;resize:vertical;overflow:auto",
    )
