"""Histories as runs of MLflow: a run a seed, its curves as metrics and its recipe as parameters."""

from __future__ import annotations

import re
from typing import Any

from sukima.base.errors import InputError
from sukima.base.imports import require
from sukima.integrations.runs import Logged, LoggedRun, curve_names, runs_of
from sukima.records.recipe import Recipe
from sukima.records.result import Comparison, TuneResult

__all__ = ["write_mlflow"]

_METRICS, _PARAMETERS = 1000, 100
"""How many MLflow takes in one call."""


def write_mlflow(result: Logged, tracking_uri: str | None = None, experiment: str | None = None) -> list[str]:
    """Write the curves of a history, or of every run of a result, as runs of MLflow.

    A run is called ``<arm>/seed-<seed>``. Its metrics are ``train_loss``, ``validation_loss`` and, where there is one,
    ``train_<metric>`` and ``validation_<metric>``, with the epoch as step; its parameters the rates by site and
    whatever else the recipe sets; its tag ``sukima.recipe`` is the whole recipe as JSON.

    Args:
        result: a history, or what tune or compare returned.
        tracking_uri: of the server or database, such as ``http://host:5000`` or ``sqlite:///mlflow.db``; by default
            where MLflow itself would write.
        experiment: its name; by default the task's. It is made where there is none.

    Returns:
        The numbers of the runs.

    Raises:
        InputError: ``result`` is none of these, or MLflow refuses.
        MissingDependencyError: MLflow is not installed.
    """
    runs = list(runs_of(result))
    mlflow = require("mlflow", "mlflow")
    name = experiment or (result.task if isinstance(result, Comparison | TuneResult) else "sukima")
    try:
        client = mlflow.MlflowClient(tracking_uri=tracking_uri)
        known = client.get_experiment_by_name(name)
        number = known.experiment_id if known is not None else client.create_experiment(name)
        return [_write(client, mlflow.entities, number, run) for run in runs]
    except mlflow.exceptions.MlflowException as error:
        why = str(error).splitlines()[0]
        raise InputError("{name}: MLflow refuses: {why}", name="tracking_uri", why=why) from error


def _write(client: Any, entities: Any, experiment: str, run: LoggedRun) -> str:
    made: str = client.create_run(experiment, run_name="/".join(run.place) or None).info.run_id
    metrics = [
        entities.Metric(_allowed(f"{part}_{name}"), value, 0, epoch)
        for name, curves in curve_names(run.history).items()
        for part, curve in zip(("train", "validation"), curves, strict=True)
        for epoch, value in enumerate(curve, 1)
    ]
    for first in range(0, len(metrics), _METRICS):
        client.log_batch(made, metrics=metrics[first : first + _METRICS])
    if run.recipe is not None:
        parameters = [entities.Param(_allowed(key), str(value)) for key, value in _parameters(run.recipe).items()]
        for first in range(0, len(parameters), _PARAMETERS):
            client.log_batch(made, params=parameters[first : first + _PARAMETERS])
        client.set_tag(made, "sukima.recipe", run.recipe.to_json())
        client.set_tag(made, "sukima.seed", run.seed)
    client.set_terminated(made, "FAILED" if run.history.status == "failed" else "FINISHED")
    return made


def _parameters(recipe: Recipe) -> dict[str, object]:
    """What a recipe sets, one by one."""
    found: dict[str, object] = {f"rate/{site}": rate for site, rate in recipe.rates.items()}
    for group in ("penalties", "constraints", "schedules", "options"):
        found |= {f"{group}/{where}": each for where, each in getattr(recipe, group).items()}
    for name in ("weight_decay", "early_stopping", "label_smoothing", "input_noise", "mixup"):
        if value := getattr(recipe, name):
            found[name] = value
    return found


def _allowed(name: str) -> str:
    """A name of the letters that MLflow allows."""
    return re.sub(r"[^\w\-./ ]", "_", name)
