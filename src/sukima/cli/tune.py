"""``sukima tune``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sukima.base.messages import say
from sukima.cli.options import By, Data, Epochs, FirstSeed, Json, Lang, MLflow, Output, Target, TensorBoard

__all__ = ["HELP", "tune"]

_STRATEGIES = ("auto", "ladder", "grid", "random", "tpe", "gp", "halving", "learned")

HELP = say(
    "Find the recipe that generalises best, and say whether it helps.\n\n"
    "Trains without dropout and with the guideline's rates, says whether that overfits, searches on validation data, "
    "picks the winner among the best few with fresh seeds, then compares once on test data. Prints the winning recipe "
    "as code and writes a report page.\n\n"
    "Everything is kept in an Optuna study: stop it at any moment, and the same command goes on where it was.\n\n"
    "Examples: sukima tune; sukima tune my_task.py --budget 10min; "
    "sukima tune my_task.py:task --by accuracy --space usual"
)


def tune(
    target: Target = None,
    data: Data = None,
    by: By = "loss",
    space: Annotated[
        str,
        typer.Option(
            "--space",
            help=str(
                say(
                    "What to vary: 'rates', 'usual' (weight decay, max-norm and label smoothing as well), 'full', or "
                    "FILE.py:NAME of a sukima.Space."
                )
            ),
        ),
    ] = "rates",
    strategy: Annotated[
        str,
        typer.Option("--strategy", help=str(say("How to search: {names}.", names=", ".join(_STRATEGIES)))),
    ] = "auto",
    budget: Annotated[
        str | None,
        typer.Option("--budget", help=str(say("How long all of it may take, such as '90s', '10min' or '1.5h'."))),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option("--trials", min=1, help=str(say("How many candidates to try; the ladder ends by itself."))),
    ] = None,
    seeds: Annotated[
        int, typer.Option("--seeds", min=2, help=str(say("Fresh seeds for the final comparison on test data.")))
    ] = 6,
    search_seeds: Annotated[
        int | None,
        typer.Option(
            "--search-seeds",
            min=1,
            help=str(say("Seeds for each recipe of the search; 3, or fewer where the budget is short.")),
        ),
    ] = None,
    first_seed: FirstSeed = 0,
    epochs: Epochs = None,
    storage: Annotated[
        str,
        typer.Option(
            "--storage",
            help=str(
                say(
                    "Where the study is kept: a database URL as Optuna takes it, 'journal:FILE', or 'none' to keep it "
                    "in memory alone."
                )
            ),
        ),
    ] = "sqlite:///sukima.db",
    study: Annotated[
        str | None,
        typer.Option("--study", help=str(say("The study's name; by default one made from task and settings."))),
    ] = None,
    engine: Annotated[
        str,
        typer.Option(
            "--engine", help=str(say("Where to train: 'local', on this machine, or 'ray', on a Ray cluster."))
        ),
    ] = "local",
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers", min=1, help=str(say("How many train at once; one for each core, or processor of the cluster."))
        ),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(
            "--address",
            help=str(say("The Ray cluster's address, such as 'HOST:6379'; by default the one that Ray finds.")),
        ),
    ] = None,
    output: Output = Path("sukima-report.html"),
    tensorboard: TensorBoard = None,
    mlflow: MLflow = None,
    json: Json = False,
    _lang: Lang = None,
) -> None:
    """Parse, run the workflow, show."""
    from sukima.cli.objects import load_object
    from sukima.cli.results import command_progress, show
    from sukima.cli.tasks import chosen_task
    from sukima.reporting import check_report_path
    from sukima.tuning.space import Space
    from sukima.workflow.tune import tune as run

    if output is not None:
        check_report_path(output)  # before training, so that nothing is lost
    result = run(
        chosen_task(target, data, epochs),
        load_object(space, "space", Space) if ".py" in space else space,  # type: ignore[arg-type]  # checked there
        strategy=strategy,  # type: ignore[arg-type]  # checked there
        by=by,
        budget=budget,
        trials=trials,
        search_seeds=search_seeds,
        test_seeds=seeds,
        first_seed=first_seed,
        storage=None if storage == "none" else storage,
        study=study,
        engine=engine,  # type: ignore[arg-type]  # checked there
        workers=workers,
        address=address,
        progress=command_progress(),
    )
    show(result, output, json, tensorboard, mlflow)
