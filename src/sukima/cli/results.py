"""How a command ends: the result on the terminal or as JSON, and the report page."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from sukima.base.messages import say

if TYPE_CHECKING:
    from sukima.engines.progress import Progress
    from sukima.records.result import Comparison, TuneResult

__all__ = ["command_progress", "show"]


def command_progress() -> Progress:
    """A bar on a terminal, plain lines in a log."""
    from sukima.engines.bar import Bar
    from sukima.engines.progress import Lines

    return Bar() if sys.stderr.isatty() else Lines()


def show(
    result: TuneResult | Comparison,
    output: Path | None,
    as_json: bool,
    tensorboard: Path | None = None,
    mlflow: str | None = None,
) -> None:
    """Print ``result`` and write its report; leave with 130 where the work was interrupted."""
    from sukima.reporting import document_of, write_report
    from sukima.reporting.json import to_json
    from sukima.reporting.terminal import print_document

    if output is not None:  # first: what prints may fail (a closed pipe, a terminal that knows few characters)
        write_report(result, output)
    if tensorboard is not None:
        from sukima.integrations.tensorboard import write_tensorboard

        write_tensorboard(result, tensorboard)
    if mlflow is not None:
        from sukima.integrations.mlflow import write_mlflow

        write_mlflow(result, mlflow)
    if as_json:
        typer.echo(to_json(result))
    else:
        print_document(document_of(result))
    if output is not None:
        typer.echo(str(say("Report: {path}", path=output)), err=True)
    if not result.complete:
        typer.echo(str(say("Interrupted: this is what was done so far.")), err=True)
        raise typer.Exit(130)
