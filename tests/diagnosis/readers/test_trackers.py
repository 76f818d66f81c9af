"""What Weights & Biases and MLflow leave on disk, as their own code writes it: files, databases and exports."""

import json
import sqlite3
import struct
import zlib
from contextlib import closing
from pathlib import Path

import pytest

from sukima.base.errors import InputError
from sukima.diagnosis.readers import Reading, read_history

TRAIN = [2.0, 1.5, 1.2, 1.0, 0.9]
VALIDATION = [2.1, 1.7, 1.5, 1.6, 1.8]
ROWS = [{"train/loss": t, "val/loss": v} for t, v in zip(TRAIN, VALIDATION, strict=True)]


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def history(step: int, row: dict[str, object], *, nested: bool = False) -> bytes:
    """A record of what was logged at a step."""
    items = b""
    for key, value in row.items():
        names = b"".join(field(2, part.encode()) for part in key.split("/")) if nested else field(1, key.encode())
        items += field(1, names + field(16, json.dumps(value).encode()))
    return field(2, items + field(2, b"\x08" + varint(step)))


def wandb_log(records: list[bytes]) -> bytes:
    """The log: records cut at the ends of blocks of 32 KiB."""
    out = bytearray(b":W&B\xe1\xbe\x00")
    for record in records:
        at, first = 0, True
        while first or at < len(record):
            room = 2**15 - len(out) % 2**15
            if room < 7:
                out += bytes(room)
                room = 2**15
            piece = record[at : at + room - 7]
            at += len(piece)
            place = (1 if first else 4) if at == len(record) else 2 if first else 3
            out += struct.pack("<IHB", zlib.crc32(piece, zlib.crc32(bytes([place]))), len(piece), place) + piece
            first = False
    return bytes(out)


def only(readings: list[Reading]) -> Reading:
    assert len(readings) == 1
    return readings[0]


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("beside", [10, 32_700, 100_000])
def test_a_wandb_run_file(tmp_path: Path, *, nested: bool, beside: int) -> None:
    """Other records stand between, of a length such that history is cut by a block's end, or only they are."""
    folder = tmp_path / "wandb" / "run-20260101_000000-abc"
    (folder / "files").mkdir(parents=True)
    (folder / "files" / "wandb-summary.json").write_text(json.dumps(ROWS[-1]))
    records = [field(17, b"x" * beside)]
    for step, row in enumerate(ROWS):
        records += [history(step, row, nested=nested), field(7, b"y" * beside)]
    (folder / "run-abc.wandb").write_bytes(wandb_log(records))
    reading = only(read_history(tmp_path))
    assert reading.format == "Weights & Biases"
    assert (reading.history.train_loss, reading.history.validation_loss) == (TRAIN, VALIDATION)


def test_a_wandb_run_file_that_is_still_written(tmp_path: Path) -> None:
    path = tmp_path / "run-abc.wandb"
    content = wandb_log([history(step, row) for step, row in enumerate(ROWS)])
    path.write_bytes(content[:-5])
    reading = only(read_history(path))
    assert reading.history.validation_loss == VALIDATION[:-1]
    assert reading.notes


def database(path: Path, runs: dict[str, tuple[str, str]], metrics: list[tuple[object, ...]]) -> None:
    with closing(sqlite3.connect(path)) as base, base:
        base.execute(
            "CREATE TABLE runs (run_uuid VARCHAR(32) PRIMARY KEY, name VARCHAR(250), lifecycle_stage VARCHAR(20))"
        )
        base.execute(
            "CREATE TABLE metrics (key VARCHAR(250) NOT NULL, value FLOAT NOT NULL, timestamp BIGINT NOT NULL, "
            "run_uuid VARCHAR(32) NOT NULL, step BIGINT DEFAULT '0' NOT NULL, is_nan BOOLEAN DEFAULT '0' NOT NULL)"
        )
        base.executemany("INSERT INTO runs VALUES (?, ?, ?)", [(run, *rest) for run, rest in runs.items()])
        base.executemany("INSERT INTO metrics VALUES (?, ?, 0, ?, ?, ?)", metrics)


def metrics_of(run: str) -> list[tuple[object, ...]]:
    return [(f"{name}_loss", row[f"{name}/loss"], run, i, 0) for i, row in enumerate(ROWS) for name in ("train", "val")]


def test_an_mlflow_database(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    runs = {"a1": ("quick fox", "active"), "b2": ("quick fox", "active"), "c3": ("gone", "deleted")}
    database(path, runs, [*metrics_of("a1"), *metrics_of("b2"), *metrics_of("c3"), *metrics_of("nobody")])
    for place in (path, tmp_path):
        readings = read_history(place)
        assert [reading.source.removeprefix(f"{path}:") for reading in readings] == ["quick fox a1", "quick fox b2"]
        assert all(reading.history.validation_loss == VALIDATION for reading in readings)


def test_what_is_not_finite_in_an_mlflow_database(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    metrics = [*metrics_of("a"), ("train_loss", 1.7976931348623157e308, "a", 5, 0), ("val_loss", 0.0, "a", 5, 1)]
    database(path, {"a": ("run", "active")}, metrics)
    history = only(read_history(path)).history
    assert history.train_loss[-1] == float("inf")
    assert history.validation_loss[-1] != history.validation_loss[-1]


@pytest.mark.parametrize(
    "script",
    [
        "CREATE TABLE other (a)",
        "CREATE TABLE runs (run_uuid, name, lifecycle_stage); CREATE VIEW metrics AS SELECT 1 AS key",
        "CREATE TABLE runs (run_uuid, name, lifecycle_stage); CREATE TABLE metrics (key)",
        "CREATE TABLE runs (run_uuid, name, lifecycle_stage);"
        "CREATE VIEW metrics AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS key FROM n",
    ],
)
def test_another_database_is_an_error(tmp_path: Path, script: str) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as base:
        base.executescript(script)
    with pytest.raises(InputError, match="MLflow"):
        read_history(path)


def test_a_search_of_mlflow_runs_has_a_row_a_run(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text(
        ",run_id,experiment_id,status,artifact_uri,start_time,end_time,metrics.train_accuracy,metrics.val_accuracy,"
        "params.lr,tags.mlflow.runName\n"
        "0,a1,0,FINISHED,mlruns/0/a1,2026-01-01 00:00:00+00:00,2026-01-01 00:01:00+00:00,0.99,0.75,0.1,quick fox\n"
        "1,b2,0,FINISHED,mlruns/0/b2,2026-01-01 00:00:00+00:00,2026-01-01 00:01:00+00:00,0.92,0.90,0.01,slow fox\n"
    )
    histories = [reading.history for reading in read_history(path)]
    assert [(one.train_metric, one.validation_metric) for one in histories] == [([0.99], [0.75]), ([0.92], [0.90])]


def test_a_history_of_the_wandb_api_as_a_data_frame_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    rows = [f"{i},{i},{i * 1.5},17{i},{row['train/loss']},{row['val/loss']}" for i, row in enumerate(ROWS)]
    path.write_text("\n".join([",_step,_runtime,_timestamp,train/loss,val/loss", *rows]))
    history = only(read_history(path)).history
    assert (history.train_loss, history.validation_loss) == (TRAIN, VALIDATION)


def test_rows_of_the_wandb_api_with_training_and_validation_apart(tmp_path: Path) -> None:
    """As Lightning's logger has it: several rows an epoch, what was not logged missing or null."""
    rows: list[dict[str, object]] = []
    for epoch, row in enumerate(ROWS):
        rows.append({"_step": 20 * epoch + 9, "epoch": epoch, "train_loss_step": row["train/loss"] + 0.3})
        rows.append({"_step": 20 * epoch + 18, "epoch": epoch, "val_loss": row["val/loss"], "train_loss_epoch": None})
        rows.append({"_step": 20 * epoch + 19, "epoch": epoch, "train_loss_epoch": row["train/loss"], "val_loss": None})
    for name, text in (("a.json", json.dumps(rows)), ("a.jsonl", "\n".join(map(json.dumps, rows)))):
        path = tmp_path / name
        path.write_text(text)
        history = only(read_history(path)).history
        assert (history.train_loss, history.validation_loss) == (TRAIN, VALIDATION)


def test_charts_exported_one_by_one_are_put_together(tmp_path: Path) -> None:
    for metric, key in (("train_loss", "train/loss"), ("val_loss", "val/loss")):
        names = f'"Step","red fox - {metric}","red fox - {metric}__MIN","red fox - {metric}__MAX","owl - {metric}"\n'
        rows = "".join(f'"{i}","{row[key]}","{row[key]}","{row[key]}","{row[key]}"\n' for i, row in enumerate(ROWS))
        (tmp_path / f"wandb_export_{metric}.csv").write_text(names + rows)
    (tmp_path / "other.csv").write_text("run,epoch,train_loss\nbat,1,2\nbat,2,1\ncat,1,2\ncat,2,1\n")
    readings = read_history(tmp_path)
    assert [reading.source.removeprefix(f"{tmp_path}:") for reading in readings] == ["red fox", "owl"]
    for reading in readings:
        assert (reading.history.train_loss, reading.history.validation_loss) == (TRAIN, VALIDATION)
    assert "2 files or runs without a history" in str(readings[-1].notes[-1])


@pytest.mark.parametrize(
    "names",
    [
        ("run-train-tag-epoch_loss", "run-validation-tag-epoch_loss"),
        ("run-lr_train-tag-epoch_loss", "run-lr_validation-tag-epoch_loss"),
        ("run-fox-tag-Loss_train", "run-fox-tag-Loss_val"),
    ],
)
def test_scalars_that_tensorboard_exports(tmp_path: Path, names: tuple[str, str]) -> None:
    for name, curve in zip(names, (TRAIN, VALIDATION), strict=True):
        rows = "".join(f"{1.7e9 + i},{i},{value}\n" for i, value in enumerate(curve))
        (tmp_path / f"{name}.csv").write_text("Wall time,Step,Value\n" + rows)
    reading = only(read_history(tmp_path))
    assert (reading.history.train_loss, reading.history.validation_loss) == (TRAIN, VALIDATION)


def test_epochs_that_only_validation_has_do_not_shift_training(tmp_path: Path) -> None:
    """As with ``define_metric``: batches count one thing and validation another, logged after the epoch's batches."""
    records = []
    for epoch, row in enumerate(ROWS):
        for batch in range(4):
            records.append(history(5 * epoch + batch, {"train/loss": row["train/loss"], "batch": 4 * epoch + batch}))
        records.append(history(5 * epoch + 4, {"val/loss": row["val/loss"], "epoch": epoch}))
    path = tmp_path / "run-abc.wandb"
    path.write_bytes(wandb_log(records))
    read = only(read_history(path)).history
    assert (read.train_loss, read.validation_loss) == (pytest.approx(TRAIN), VALIDATION)


def test_curves_have_room_beside_thousands_of_others(tmp_path: Path) -> None:
    path = tmp_path / "run-abc.wandb"
    beside = {f"layer{i}/norm": 1.0 for i in range(3000)}
    path.write_bytes(wandb_log([history(step, beside | row) for step, row in enumerate(ROWS)]))
    assert only(read_history(path)).history.validation_loss == VALIDATION


def test_what_wandb_writes_beside_a_run_is_not_complained_of(tmp_path: Path) -> None:
    run = tmp_path / "wandb" / "run-20260101_000000-abc"
    for place, name in ((run / "files", "requirements.txt"), (run / "logs", "debug.log"), (run.parent, "debug.log")):
        place.mkdir(parents=True, exist_ok=True)
        (place / name).write_text("numpy==2.0\nno history\n")
    (run / "run-abc.wandb").write_bytes(wandb_log([history(step, row) for step, row in enumerate(ROWS)]))
    assert not only(read_history(tmp_path)).notes


def test_metrics_that_nobody_gave_a_step(tmp_path: Path) -> None:
    """MLflow then keeps step 0 for each value; they stand in the order of their logging."""
    path = tmp_path / "mlflow.db"
    values = [("train_loss" if t else "val_loss", c, "a", 0, 0) for t, v in ((1, TRAIN), (0, VALIDATION)) for c in v]
    database(path, {"a": ("run", "active")}, values)
    (tmp_path / "long.csv").write_text(
        "run_id,key,value,timestamp,step\n" + "".join(f"a,{name},{value},17,0\n" for name, value, *_ in values)
    )
    folder = tmp_path / "mlruns" / "0" / "a" / "metrics"
    folder.mkdir(parents=True)
    for name, curve in (("train_loss", TRAIN), ("val_loss", VALIDATION)):
        (folder / name).write_text("".join(f"170000000000{i} {value} 0\n" for i, value in enumerate(curve)))
    for place in (path, tmp_path / "long.csv", tmp_path / "mlruns"):
        read = only(read_history(place)).history
        assert (read.train_loss, read.validation_loss) == (TRAIN, VALIDATION)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of its own libraries
@pytest.mark.parametrize("store", ["files", "database"])
def test_runs_of_the_real_mlflow(tmp_path: Path, store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    tracking = pytest.importorskip("mlflow.tracking", reason="mlflow is not installed")
    if store == "database":
        pytest.importorskip("sqlalchemy", reason="mlflow's database needs sqlalchemy")
        pytest.importorskip("alembic", reason="mlflow's database needs alembic")
    place = tmp_path / ("mlruns" if store == "files" else "mlflow.db")
    client = tracking.MlflowClient(f"file:{place}" if store == "files" else f"sqlite:///{place}")
    experiment = client.create_experiment("実験")
    for name in ("quick fox", "gone"):
        run = client.create_run(experiment, run_name=name).info.run_id
        client.log_param(run, "lr", 0.1)
        for step, row in enumerate(ROWS):
            for key, value in row.items():
                client.log_metric(run, key, value, step=step)
        if name == "gone":
            client.delete_run(run)
    read = only(read_history(place)).history
    assert (read.train_loss, read.validation_loss) == (TRAIN, VALIDATION)
