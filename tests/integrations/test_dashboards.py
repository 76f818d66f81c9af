"""What other programs' pages are given: event files for TensorBoard, an ordinary study for Optuna."""

from pathlib import Path

import pytest

import sukima
from sukima.base.errors import InputError
from sukima.records.history import History
from sukima.records.recipe import Recipe

pytest.importorskip("tensorboard", reason="tensorboard is not installed")

CURVES = {"train_loss": [1.0, 0.5, 0.25, 0.1], "validation_loss": [1.1, 0.7, 0.75, 0.9]}


def test_a_history_survives_the_round_trip(tmp_path: Path) -> None:
    from sukima.integrations.tensorboard import write_tensorboard

    metrics = {"train_metric": [0.5, 0.6, 0.7, 0.8], "validation_metric": [0.4, 0.5, 0.5, 0.5], "metric": "accuracy"}
    write_tensorboard(History(**CURVES, **metrics), tmp_path)
    verdict = sukima.diagnose(tmp_path)
    assert verdict.verdict == sukima.diagnose(History(**CURVES, **metrics)).verdict


def test_every_run_of_a_comparison_is_a_run_there(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    from sukima.engines.progress import Silent
    from sukima.integrations.tensorboard import write_tensorboard

    task = sukima.demo_task(train_rows=60)
    recipes = {"none": Recipe(), "../a/b <i>": Recipe(early_stopping=3)}
    found = sukima.compare(task, recipes, seeds=2, effects=False, progress=Silent())
    write_tensorboard(found, tmp_path / "runs")
    folders = sorted(str(p.relative_to(tmp_path / "runs")) for p in (tmp_path / "runs").glob("*/*"))
    assert folders == ["a_b_i/seed-0", "a_b_i/seed-1", "none/seed-0", "none/seed-1"]
    assert not (tmp_path / "a").exists()
    events = EventAccumulator(str(tmp_path / "runs/none/seed-1/validation"))
    events.Reload()
    values = [event.value for event in events.Scalars("epoch_loss")]
    assert values == pytest.approx(found.arm("none").trials[1].history.validation_loss)
    assert events.Tags()["scalars"] == ["epoch_loss", "epoch_accuracy"]


def test_anything_else_is_refused(tmp_path: Path) -> None:
    from sukima.integrations.tensorboard import write_tensorboard

    with pytest.raises(InputError, match="result must be a History"):
        write_tensorboard({"loss": [1]}, tmp_path)  # type: ignore[arg-type]


def test_a_study_of_tune_is_one_that_optuna_reads(tmp_path: Path) -> None:
    import optuna

    from sukima.engines.progress import Silent

    storage = f"sqlite:///{tmp_path}/tune.db"
    task = sukima.demo_task(train_rows=60)
    sukima.tune(task, search_seeds=1, test_seeds=2, storage=storage, progress=Silent())
    (name,) = optuna.get_all_study_names(storage)
    study = optuna.load_study(study_name=name, storage=storage)
    assert len(study.trials) > 5
    assert study.best_value == min(trial.value for trial in study.trials if trial.value is not None)
    assert study.best_params
