"""What other programs' pages are given: event files for TensorBoard, an ordinary study for Optuna."""

import json
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import sukima
from sukima.base.errors import InputError
from sukima.records.history import History
from sukima.records.recipe import Recipe

CURVES = {"train_loss": [1.0, 0.5, 0.25, 0.1], "validation_loss": [1.1, 0.7, 0.75, 0.9]}


def test_a_history_survives_the_round_trip(tmp_path: Path) -> None:
    from sukima.integrations.tensorboard import write_tensorboard

    metrics = {"train_metric": [0.5, 0.6, 0.7, 0.8], "validation_metric": [0.4, 0.5, 0.5, 0.5], "metric": "accuracy"}
    write_tensorboard(History(**CURVES, **metrics), tmp_path)
    verdict = sukima.diagnose(tmp_path)
    assert verdict.verdict == sukima.diagnose(History(**CURVES, **metrics)).verdict


def test_every_run_of_a_comparison_is_a_run_there(tmp_path: Path) -> None:
    from sukima.engines.progress import Silent
    from sukima.integrations.tensorboard import write_tensorboard

    task = sukima.demo_task(train_rows=60)
    recipes = {"none": Recipe(), "../a/b <i>": Recipe(early_stopping=3)}
    found = sukima.compare(task, recipes, seeds=2, effects=False, progress=Silent())
    write_tensorboard(found, tmp_path / "runs")
    folders = sorted(str(p.relative_to(tmp_path / "runs")) for p in (tmp_path / "runs").glob("*/*"))
    assert folders == ["a_b_i/seed-0", "a_b_i/seed-1", "none/seed-0", "none/seed-1"]
    assert not (tmp_path / "a").exists()
    written = found.arm("none").trials[1].history
    read = sukima.diagnose(tmp_path / "runs/none/seed-1")
    assert read.verdict == sukima.diagnose(written).verdict
    if find_spec("tensorboard") is None:
        return
    program = (
        "import json, sys; sys.modules['tensorflow'] = None;"
        "from tensorboard.backend.event_processing.event_accumulator import EventAccumulator as E;"
        "e = E(sys.argv[1]); e.Reload(); t = e.Tags()['scalars'];"
        "print(json.dumps({k: [v.value for v in e.Scalars(k)] for k in t}))"
    )  # in a process of its own and without TensorFlow, which it would load and which does not bear Triton beside it
    folder = str(tmp_path / "runs/none/seed-1/validation")
    done = subprocess.run([sys.executable, "-c", program, folder], capture_output=True, text=True, check=True)
    curves = json.loads(done.stdout)
    assert curves["epoch_loss"] == pytest.approx(written.validation_loss)
    assert curves["epoch_accuracy"] == pytest.approx(written.validation_metric)


def test_anything_else_is_refused(tmp_path: Path) -> None:
    from sukima.integrations.tensorboard import write_tensorboard

    with pytest.raises(InputError, match="result must be a History"):
        write_tensorboard({"loss": [1]}, tmp_path)  # type: ignore[arg-type]


def test_every_run_is_one_of_mlflow(tmp_path: Path) -> None:
    """Written to a database, and read back with MLflow's own client."""
    mlflow = pytest.importorskip("mlflow", reason="MLflow is not installed")
    from sukima.engines.progress import Silent
    from sukima.integrations.mlflow import write_mlflow

    recipes = {
        "none": Recipe(),
        "../a/b <i>": Recipe(rates={"1": 0.5}, early_stopping=3, penalties={"0": sukima.L2(1e-4)}),
    }
    task = replace(sukima.demo_task(train_rows=60), epochs=5)
    found = sukima.compare(task, recipes, seeds=2, effects=False, progress=Silent())
    place = f"sqlite:///{tmp_path}/mlflow.db"
    numbers = write_mlflow(found, place, experiment="digits")
    assert (
        write_mlflow(History(**CURVES), place, experiment="digits")[0] not in numbers
    )  # the experiment is gone on with

    client = mlflow.MlflowClient(tracking_uri=place)
    runs = {
        run.info.run_name: run for run in client.search_runs([client.get_experiment_by_name("digits").experiment_id])
    }
    assert {"none/seed-0", "none/seed-1", "a_b_i/seed-0", "a_b_i/seed-1"} < set(runs)
    run, trial = runs["a_b_i/seed-1"], found.arms[1].trials[1]
    assert run.data.params["rate/1"] == "0.5"
    assert "penalties/0" in run.data.params
    assert Recipe.from_json(run.data.tags["sukima.recipe"]) == trial.recipe
    written = client.get_metric_history(run.info.run_id, "validation_accuracy")
    curve = [metric.value for metric in sorted(written, key=lambda metric: metric.step)]
    assert curve == pytest.approx(trial.history.validation_metric)
    with pytest.raises(InputError, match="tracking_uri: MLflow refuses"):
        write_mlflow(found, f"file:{tmp_path}/runs")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The storage of a small study."""
    from sukima.engines.progress import Silent

    storage = f"sqlite:///{tmp_path_factory.mktemp('study')}/tune.db"
    task = replace(sukima.demo_task(train_rows=60), epochs=5)
    sukima.tune(task, search_seeds=1, test_seeds=2, storage=storage, progress=Silent())
    return storage


def test_a_study_of_tune_is_one_that_optuna_reads(study: str) -> None:
    import optuna

    (name,) = optuna.get_all_study_names(study)
    found = optuna.load_study(study_name=name, storage=study)
    assert len(found.trials) > 5
    assert found.best_value == min(trial.value for trial in found.trials if trial.value is not None)
    assert found.best_params


def test_optuna_dashboard_shows_the_study(study: str) -> None:
    dashboard = pytest.importorskip("optuna_dashboard", reason="optuna-dashboard is not installed")
    from wsgiref.util import setup_testing_defaults

    import optuna

    application = dashboard.wsgi(optuna.storages.RDBStorage(study))

    def get(path: str) -> Any:
        environ: dict[str, Any] = {"PATH_INFO": path}
        setup_testing_defaults(environ)
        statuses: list[str] = []
        body = b"".join(application(environ, lambda status, _headers, _error=None: statuses.append(status)))
        assert statuses[0].startswith("200"), (path, statuses, body[:200])
        return json.loads(body)

    (summary,) = get("/api/studies")["study_summaries"]
    whole = get(f"/api/studies/{summary['study_id']}")
    assert summary["study_name"] == optuna.get_all_study_names(study)[0]
    assert len(whole["trials"]) > 5
