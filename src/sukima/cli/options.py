"""Options that several commands have, with one wording."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sukima.base.messages import say

__all__ = ["By", "Data", "Epochs", "FirstSeed", "Json", "Lang", "MLflow", "Output", "Target", "TensorBoard"]


class LanguageName(StrEnum):
    """The languages."""

    EN = "en"
    JA = "ja"


Lang = Annotated[
    LanguageName | None,
    typer.Option("--lang", help=str(say("Language of everything shown; by default the locale's."))),
]
Json = Annotated[bool, typer.Option("--json", help=str(say("Print the result as JSON for machines.")))]
Target = Annotated[
    str | None,
    typer.Argument(
        metavar="[FILE.py[:NAME]]",
        help=str(say("A Python file with a sukima.Task, called 'task' unless named. Without it, real data are used.")),
    ),
]
Data = Annotated[
    str | None,
    typer.Option("--data", help=str(say("Without a file: the data set, 'digits' (the default) or 'mnist'."))),
]
By = Annotated[
    str,
    typer.Option("--by", help=str(say("What to go by: 'loss', or the task's metric by its name, such as 'accuracy'."))),
]
Epochs = Annotated[
    int | None,
    typer.Option("--epochs", min=1, help=str(say("The most epochs a trial may take, instead of the task's."))),
]
FirstSeed = Annotated[
    int,
    typer.Option("--first-seed", min=0, help=str(say("The first seed; another repeats the study independently."))),
]
TensorBoard = Annotated[
    Path | None,
    typer.Option("--tensorboard", metavar="DIR", help=str(say("Also write every run's curves for TensorBoard here."))),
]
MLflow = Annotated[
    str | None,
    typer.Option(
        "--mlflow",
        metavar="URI",
        help=str(say("Also write every run to this MLflow server or database, such as 'sqlite:///mlflow.db'.")),
    ),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", help=str(say("Where to write the report: a .html or .json file."))),
]
