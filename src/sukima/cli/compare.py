"""``sukima compare``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sukima.base.errors import InputError
from sukima.base.messages import say
from sukima.cli.objects import load_module, load_object
from sukima.cli.options import By, Data, Epochs, FirstSeed, Json, Lang, MLflow, Output, Target, TensorBoard

if TYPE_CHECKING:
    from sukima.records.recipe import Recipe

__all__ = ["HELP", "compare"]

HELP = say(
    "Train recipes side by side with paired seeds, and say which of them really differ.\n\n"
    "The first recipe is the baseline. Without recipes, those are taken that stand beside the task in its file, in a "
    "dict called 'recipes'; else the usual ways to regularize are compared with none: dropout, L1, L2, early stopping, "
    "batch normalisation, augmentation, a smaller model, an ensemble and more. A single recipe is compared beside "
    "those.\n\n"
    "Finished runs are kept in a file; the same command again goes on where it was stopped.\n\n"
    "Examples: sukima compare; sukima compare my_task.py --recipe mine=recipe.toml; "
    "sukima compare my_task.py --recipe none= --recipe mine=recipe.toml"
)


def compare(
    target: Target = None,
    data: Data = None,
    recipe: Annotated[
        list[str] | None,
        typer.Option(
            "--recipe", metavar="NAME=FILE", help=str(say("A recipe file (.toml, .json); without FILE, none."))
        ),
    ] = None,
    recipes: Annotated[
        str | None,
        typer.Option(
            "--recipes", metavar="FILE.py[:NAME]", help=str(say("A dict from names to recipes, called 'recipes'."))
        ),
    ] = None,
    by: By = "loss",
    seeds: Annotated[int, typer.Option("--seeds", min=2, help=str(say("Paired seeds for each recipe.")))] = 5,
    first_seed: FirstSeed = 0,
    epochs: Epochs = None,
    runs: Annotated[
        Path | None,
        typer.Option(
            "--runs",
            metavar="FILE.jsonl",
            help=str(say("Where finished runs are kept; by default beside the report.")),
        ),
    ] = None,
    output: Output = Path("sukima-report.html"),
    tensorboard: TensorBoard = None,
    mlflow: MLflow = None,
    json: Json = False,
    _lang: Lang = None,
) -> None:
    """Parse, run the workflow, show."""
    from sukima.cli.results import command_progress, show
    from sukima.cli.tasks import chosen_task
    from sukima.reporting import check_report_path
    from sukima.workflow.compare import compare as run

    if output is not None:
        check_report_path(output)  # before training, so that nothing is lost
    task = chosen_task(target, data, epochs)
    chosen = _chosen(recipe, recipes) or _beside(target)
    runs = runs or (output.with_suffix(".runs.jsonl") if output is not None else None)
    progress = command_progress()
    show(
        run(task, chosen, by=by, seeds=seeds, first_seed=first_seed, runs=runs, progress=progress),
        output,
        json,
        tensorboard,
        mlflow,
    )


def _beside(target: str | None) -> dict[str, Recipe] | None:
    """The recipes that stand beside the task in the user's file, under that very name."""
    if target is None or not isinstance(found := getattr(load_module(target), "recipes", None), dict):
        return None
    typer.echo(str(say("Recipes from {target}: {names}", target=target, names=", ".join(map(str, found)))), err=True)
    return found


def _chosen(files: list[str] | None, table: str | None) -> dict[str, Recipe] | None:
    """Name → recipe, from files and from a table in a user's file; ``None`` if neither is given."""
    from sukima.records.recipe import Recipe

    if not files and table is None:
        return None
    chosen = dict(load_object(table, "recipes", dict)) if table is not None else {}
    for entry in files or []:
        name, separator, path = entry.partition("=")
        if not name or not separator or name in chosen:
            raise InputError("--recipe must be NAME=FILE with a new name, got {value}", value=repr(entry))
        chosen[name] = Recipe.load(path) if path else Recipe()
    return chosen
