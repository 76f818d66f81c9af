"""``sukima tune``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sukima.base.messages import say
from sukima.cli.options import By, Data, Epochs, Json, Lang, Output, Target

__all__ = ["HELP", "tune"]

HELP = say(
    "Find the dropout rates that generalise best, and say whether they help.\n\n"
    "Trains without dropout and with the guideline's rates, says whether that overfits, searches the rates on "
    "validation data, then compares once on test data with fresh seeds. Prints the winning recipe as code and writes "
    "a report page.\n\n"
    "Examples: sukima tune; sukima tune my_task.py; sukima tune my_task.py:task --by accuracy"
)


def tune(
    target: Target = None,
    data: Data = None,
    by: By = "loss",
    seeds: Annotated[
        int, typer.Option("--seeds", min=2, help=str(say("Fresh seeds for the final comparison on test data.")))
    ] = 6,
    search_seeds: Annotated[
        int, typer.Option("--search-seeds", min=1, help=str(say("Seeds for each recipe of the search.")))
    ] = 3,
    first_seed: Annotated[
        int,
        typer.Option("--first-seed", min=0, help=str(say("The first seed; another repeats the study independently."))),
    ] = 0,
    epochs: Epochs = None,
    output: Output = Path("sukima-report.html"),
    json: Json = False,
    _lang: Lang = None,
) -> None:
    """Parse, run the workflow, show."""
    from sukima.cli.results import command_progress, show
    from sukima.cli.tasks import chosen_task
    from sukima.reporting import check_report_path
    from sukima.workflow.tune import tune as run

    if output is not None:
        check_report_path(output)  # before training, so that nothing is lost
    task = chosen_task(target, data, epochs)
    result = run(
        task, by=by, search_seeds=search_seeds, test_seeds=seeds, first_seed=first_seed, progress=command_progress()
    )
    show(result, output, json)
