"""``sukima diagnose``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sukima.base.errors import InputError
from sukima.base.messages import say
from sukima.cli.options import Json, Lang, Output

if TYPE_CHECKING:
    from sukima.diagnosis.known import Known
    from sukima.diagnosis.readers import Reading
    from sukima.records.history import History
    from sukima.records.verdict import Verdict

__all__ = ["HELP", "diagnose"]

HELP = say(
    "Say what the curves of a training run mean: overfitting or not, since when, how sure, and what to do next.\n\n"
    "Reads CSV, JSON, Keras, Lightning, Hugging Face, TensorBoard, MLflow and Weights & Biases histories; a folder "
    "means all runs in it.\n\n"
    "Examples: sukima diagnose history.csv; sukima diagnose run1.json run2.json --check; "
    "sukima diagnose train.log --pattern 'loss {{loss}} val {{val_loss}}'"
)


def diagnose(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help=str(say("Histories, or folders of them.")))],
    columns: Annotated[
        str | None,
        typer.Option(
            "--map", metavar="train=A,val=B", help=str(say("Which columns are meant, where names do not say."))
        ),
    ] = None,
    pattern: Annotated[
        list[str] | None,
        typer.Option(
            "--pattern", help=str(say("For text logs: a piece of a line, with {{loss}} and {{val_loss}} in it."))
        ),
    ] = None,
    pool: Annotated[
        bool,
        typer.Option("--pool", help=str(say("All histories are seeds of one configuration; judge them together."))),
    ] = False,
    recipe: Annotated[
        Path | None, typer.Option("--recipe", help=str(say("The recipe that was in force; the advice goes by it.")))
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            "--task", metavar="FILE.py[:NAME]", help=str(say("The task: its model's sites and amount of data."))
        ),
    ] = None,
    rows: Annotated[int | None, typer.Option("--rows", min=1, help=str(say("Number of training rows.")))] = None,
    inputs: Annotated[int | None, typer.Option("--inputs", min=1, help=str(say("Number of input features.")))] = None,
    next_recipe: Annotated[
        Path | None, typer.Option("--next", help=str(say("Where to write the recipe to try next: .toml or .json.")))
    ] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", help=str(say("Where to draw the curves: a .png, .svg or .html file.")))
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help=str(say("Exit with 1 unless every verdict is healthy.")))
    ] = False,
    output: Output = None,
    json: Json = False,
    _lang: Lang = None,
) -> None:
    """Read, judge, show."""
    from sukima.diagnosis.readers import read_history
    from sukima.reporting import document_of
    from sukima.reporting.json import to_json
    from sukima.reporting.terminal import print_document

    _check_paths(output, plot, next_recipe)
    mapping = mapping_of(columns) if columns is not None else None
    known = _known(recipe, task, rows, inputs)
    readings = [reading for file in files for reading in read_history(file, mapping, pattern or ())]
    for reading in readings:
        typer.echo(understood(reading), err=True)
    judged = _judged(readings, known, pool=pool)
    _write(judged, output, plot, next_recipe)  # first: printing may fail, where a pipe is closed early
    if json:
        typer.echo(to_json(judged))
    else:
        print_document(document_of(judged))
    for reading in readings:
        reading.history.check()  # curves that end in NaN were judged by what came before; bad input all the same
    if check and any(verdict.verdict != "healthy" for verdict, _ in judged):
        raise typer.Exit(1)


def mapping_of(text: str) -> dict[str, str]:
    """``train=A,val=B`` as a table."""
    pairs = [piece.split("=", 1) for piece in text.split(",") if piece.strip()]
    if not pairs or any(len(pair) != 2 or not pair[1].strip() for pair in pairs):
        raise InputError("--map must look like train=A,val=B, got {value}", value=repr(text))
    return {name.strip(): column.strip() for name, column in pairs}


def understood(reading: Reading) -> str:
    """What was made of a file, on a line; what was left out, on lines below."""
    from sukima.diagnosis.readers.text import clean_name

    roles = {
        "train_loss": say("training loss"),
        "validation_loss": say("validation loss"),
        "train_metric": say("training metric"),
        "validation_metric": say("validation metric"),
        "learning_rate": say("learning rate"),
    }
    columns = ", ".join(f"{roles[curve]} = {name!r}" for curve, name in reading.understood.items())
    first = say(
        "{source}: {kind}, {epochs} epochs; {columns}",
        source=clean_name(reading.source, 200),
        kind=reading.format,
        epochs=reading.history.epochs,
        columns=columns,
    )
    return "\n".join([str(first), *(f"  {note}" for note in reading.notes)])


def _check_paths(output: Path | None, plot: Path | None, next_recipe: Path | None) -> None:
    """Before anything is read: nothing is lost to a wrong path."""
    from sukima.diagnosis.pictures import check_picture_path
    from sukima.records.files import check_writable
    from sukima.reporting import check_report_path

    if output is not None:
        check_report_path(output)
    if plot is not None:
        (check_report_path if plot.suffix.lower() == ".html" else check_picture_path)(plot)
    if next_recipe is not None:
        check_writable(next_recipe)


def _known(recipe: Path | None, task: str | None, rows: int | None, inputs: int | None) -> Known:
    from sukima.diagnosis.known import known_of
    from sukima.records.recipe import Recipe

    in_force = Recipe.load(recipe) if recipe is not None else None
    if task is None:
        return known_of(recipe=in_force, rows=rows, inputs=inputs)
    from sukima.cli.objects import load_object
    from sukima.records.task import Task, size_of

    found: Task = load_object(task, "task", Task)
    options = in_force.options if in_force else {}
    model = found.model(**options)
    return known_of(recipe=in_force, model=model, rows=rows or size_of(found.train), inputs=inputs)


def _judged(readings: Sequence[Reading], known: Known, *, pool: bool) -> list[tuple[Verdict, History]]:
    from sukima.diagnosis import judge

    if pool:
        together = judge([reading.history for reading in readings], source=readings[0].source, known=known)
        return [(together, readings[0].history)]
    return [(judge([reading.history], source=reading.source, known=known), reading.history) for reading in readings]


def _write(
    judged: list[tuple[Verdict, History]], output: Path | None, plot: Path | None, next_recipe: Path | None
) -> None:
    from sukima.diagnosis.pictures import draw
    from sukima.reporting import write_report

    if output is not None:
        write_report(judged, output)
        typer.echo(str(say("Report: {path}", path=output)), err=True)
    if plot is not None:
        if plot.suffix.lower() == ".html":
            write_report(judged, plot)
        else:
            draw(judged, plot)
        typer.echo(str(say("Picture: {path}", path=plot)), err=True)
    if next_recipe is not None:
        found = next((verdict.recipe for verdict, _ in judged if verdict.recipe is not None), None)
        if found is None:
            typer.echo(str(say("no recipe follows from this verdict")), err=True)
        else:
            found.save(next_recipe)
            typer.echo(str(say("Recipe to try next: {path}", path=next_recipe)), err=True)
