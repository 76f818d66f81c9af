"""``sukima diagnose``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sukima.base.messages import say
from sukima.cli.options import Json, Lang, Output

__all__ = ["HELP", "diagnose"]

HELP = say(
    "Say what the curves of a training run mean: overfitting or not, since when, how sure, and what to do next.\n\n"
    "Reads CSV, JSON and Keras histories.\n\n"
    "Examples: sukima diagnose history.csv; sukima diagnose run1.json run2.json --check"
)


def diagnose(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help=str(say("Histories.")))],
    check: Annotated[
        bool, typer.Option("--check", help=str(say("Exit with 1 unless every verdict is healthy.")))
    ] = False,
    output: Output = None,
    json: Json = False,
    _lang: Lang = None,
) -> None:
    """Read, judge, show."""
    from sukima.diagnosis import judge
    from sukima.diagnosis.readers import read_history
    from sukima.reporting import check_report_path, document_of, write_report
    from sukima.reporting.json import to_json
    from sukima.reporting.terminal import print_document

    if output is not None:
        check_report_path(output)
    readings = [reading for file in files for reading in read_history(file)]
    judged = [(judge([reading.history], source=reading.source), reading.history) for reading in readings]
    if json:
        typer.echo(to_json(judged))
    else:
        print_document(document_of(judged))
    if output is not None:
        write_report(judged, output)
        typer.echo(str(say("Report: {path}", path=output)), err=True)
    if check and any(verdict.verdict != "healthy" for verdict, _ in judged):
        raise typer.Exit(1)
