"""``sukima report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sukima.base.messages import say
from sukima.cli.options import Json, Lang, Output

__all__ = ["HELP", "report"]

HELP = say(
    "Draw the report on an earlier result again.\n\n"
    "Reads the .json report that tune or compare wrote, prints it, and writes the page where one is wanted.\n\n"
    "Examples: sukima tune -o result.json; sukima report result.json -o page.html"
)


def report(
    result: Annotated[Path, typer.Argument(metavar="RESULT.json", help=str(say("A report of tune or compare.")))],
    output: Output = None,
    json: Json = False,
    _lang: Lang = None,
) -> None:
    """Read, show, write."""
    from sukima.records.saved import load_result
    from sukima.reporting import check_report_path, document_of, write_report
    from sukima.reporting.json import to_json
    from sukima.reporting.terminal import print_document

    if output is not None:
        check_report_path(output)
    found = load_result(result)
    if output is not None:
        write_report(found, output)
        typer.echo(str(say("Report: {path}", path=output)), err=True)
    if json:
        typer.echo(to_json(found))
    else:
        print_document(document_of(found))
