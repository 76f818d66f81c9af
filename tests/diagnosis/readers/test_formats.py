"""Every format gives the same curves."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from sukima.base.errors import InputError
from sukima.diagnosis.readers import Reading, read_history

TRAIN = [2.0, 1.5, 1.2, 1.0, 0.9]
VALIDATION = [2.1, 1.7, 1.5, 1.6, 1.8]
ROWS = list(zip(TRAIN, VALIDATION, strict=True))

Write = Callable[[str | bytes], Path]


def only(readings: list[Reading]) -> Reading:
    assert len(readings) == 1
    return readings[0]


def test_each_format_gives_the_same_losses(written: Path) -> None:
    reading = only(read_history(written))
    assert reading.history.train_loss == pytest.approx(TRAIN)
    assert reading.history.validation_loss == pytest.approx(VALIDATION)
    assert reading.understood["train_loss"] != reading.understood["validation_loss"]
    assert reading.format


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp932"])
@pytest.mark.parametrize("kind", ["csv", "json", "json lines", "log"])
def test_what_spreadsheets_and_editors_write(write: Write, encoding: str, kind: str) -> None:
    rows = list(zip(TRAIN, VALIDATION, strict=True))
    texts = {
        "csv": "訓練損失,検証損失\n" + "".join(f"{t},{v}\n" for t, v in rows),
        "json": json.dumps({"訓練損失": TRAIN, "検証損失": VALIDATION}, ensure_ascii=False),
        "json lines": "".join(json.dumps({"訓練損失": t, "検証損失": v}, ensure_ascii=False) + "\n" for t, v in rows),
        "log": "".join(f"訓練損失 {t}、検証損失 {v}\n" for t, v in rows),
    }
    patterns = ["訓練損失 {loss}、検証損失 {val_loss}"] if kind == "log" else []
    history = only(read_history(write(texts[kind].encode(encoding)), patterns=patterns)).history
    assert (history.train_loss, history.validation_loss) == (TRAIN, VALIDATION)


def test_a_json_document_of_several_runs(write: Write) -> None:
    curves = {"loss": TRAIN, "val_loss": VALIDATION}
    rows = {"small": {"accuracy": 70, "val_accuracy": 68}, "large": {"accuracy": 99, "val_accuracy": 75}}
    for document in ({"a": curves, "b": curves}, [curves, curves], {"runs": [{"id": 1, "history": curves}] * 2}):
        readings = read_history(write(json.dumps(document)))
        assert [reading.history.validation_loss for reading in readings] == [VALIDATION, VALIDATION]
    assert [reading.history.validation_metric for reading in read_history(write(json.dumps(rows)))] == [[68], [75]]


def test_a_json_document_whose_names_say_nothing_can_be_mapped(write: Write) -> None:
    path = write(json.dumps({"settings": {"lr": 0.1}, "x": TRAIN, "y": VALIDATION}))
    with pytest.raises(InputError, match="--map"):
        read_history(path)
    history = only(read_history(path, {"train": "x", "val": "y"})).history
    assert (history.train_loss, history.validation_loss) == (TRAIN, VALIDATION)


def test_thousands_are_written_with_commas(write: Write) -> None:
    text = "loss,val_loss\n" + "".join(f'"{1000 * t:,.1f}","{1000 * v:,.1f}"\n' for t, v in ROWS)
    history = only(read_history(write(text))).history
    assert history.train_loss == [1000 * t for t in TRAIN]


def test_one_loss_each_is_a_pair_whatever_they_are_called(write: Write) -> None:
    history = only(read_history(write("iteration,total_loss,val_loss\n9,2,2.1\n19,1.5,1.7\n"))).history
    assert (history.train_loss, history.validation_loss) == ([2, 1.5], [2.1, 1.7])
    with pytest.raises(InputError, match="--map"):
        read_history(write("iteration,a_loss,b_loss,val_loss\n9,2,2,2.1\n19,1.5,1.7,1\n"))


def test_colours_of_a_terminal_are_no_part_of_a_number(write: Write) -> None:
    rows = "".join(f" {e}  \x1b[36m{t}\x1b[0m  \x1b[32m{v}\x1b[0m\n" for e, (t, v) in enumerate(ROWS))
    history = only(read_history(write(" epoch  train_loss  valid_loss\n------  -----  -----\n" + rows))).history
    assert (history.train_loss, history.validation_loss) == (TRAIN, VALIDATION)


@pytest.mark.parametrize(
    "line", ["Epoch {}/5\n----------\ntrain Loss: {} Acc: 0.5", "[{}] train: {}", "{{'loss': {}}}, {}"]
)
def test_a_log_without_a_pattern_asks_for_one(write: Write, line: str) -> None:
    with pytest.raises(InputError, match="--pattern"):
        read_history(write("".join(line.format(i, t) + "\n" for i, t in enumerate(TRAIN))))


def test_accuracies_come_along(write: Write) -> None:
    history = only(read_history(write("epoch,loss,val_loss,acc,val_acc\n1,2,2.1,.3,.2\n2,1,1.5,.6,.5\n"))).history
    assert history.train_metric == [0.3, 0.6]
    assert history.validation_metric == [0.2, 0.5]
    assert history.metric == "acc"


def test_an_error_metric_falls(write: Write) -> None:
    history = only(read_history(write("epoch,loss,val_loss,rmse,val_rmse\n1,2,2.1,3,4\n2,1,1.5,1,2\n"))).history
    assert history.metric == "rmse"
    assert not history.metric_increases


def test_map_names_the_columns(write: Write) -> None:
    path = write("a,b,c\n1,2,3\n1,1.5,2.5\n")
    with pytest.raises(InputError, match="--map"):
        read_history(path)
    history = only(read_history(path, {"train": "b", "val": "c"})).history
    assert history.train_loss == [2, 1.5]
    assert history.validation_loss == [3, 2.5]
    with pytest.raises(InputError, match="no column"):
        read_history(path, {"train": "b", "val": "z"})
    with pytest.raises(InputError, match="train_metric"):
        read_history(path, {"train": "b", "value": "c"})
    with pytest.raises(InputError, match="go together"):
        read_history(path, {"train": "b"})


def test_log_through_a_pattern(write: Write) -> None:
    path = write(
        "\n".join(
            f"[x] Epoch {i + 1}/5 - loss: {t} - val_loss: {v}"
            for i, (t, v) in enumerate(zip(TRAIN, VALIDATION, strict=True))
        )
    )
    for pattern in ("loss: {loss} - val_loss: {val_loss}", r"loss: (?P<train_loss>\S+) - val_loss: (?P<val_loss>\S+)"):
        history = only(read_history(path, patterns=[pattern])).history
        assert history.train_loss == TRAIN
        assert history.validation_loss == VALIDATION


def test_log_with_lines_of_training_and_validation_apart(write: Write) -> None:
    lines = []
    for i, (t, v) in enumerate(zip(TRAIN, VALIDATION, strict=True)):
        lines += [f"epoch {i}", f"train loss {t:e}", "noise", f"valid loss {v}"]
    history = only(
        read_history(
            write("\n".join(lines)), patterns=["epoch {epoch}", "train loss {train_loss}", "valid loss {valid_loss}"]
        )
    ).history
    assert history.train_loss == pytest.approx(TRAIN)
    assert history.validation_loss == VALIDATION


def test_log_whose_epochs_lead_several_lines(write: Write) -> None:
    """Batches of training and of validation; the last of validation counts, and no epoch slips into the next."""
    lines = []
    for e, (t, v) in enumerate(ROWS):
        lines += [f"Epoch: [{e}][{b}/2] Loss {t + 0.1 - 0.2 * b:.3f}" for b in range(2)]
        lines += [f"Test: [{b}/2] Loss {v + 0.3 * (1 - b):.3f}" for b in range(2)]
    history = only(
        read_history(
            write("\n".join(lines)),
            patterns=["Epoch: [{epoch}][{x}/{y}] Loss {loss}", "Test: [{x}/{y}] Loss {val_loss}"],
        )
    ).history
    assert (history.train_loss, history.validation_loss) == (pytest.approx(TRAIN), VALIDATION)


def test_of_two_patterns_at_one_place_the_wider_counts(write: Write) -> None:
    lines = []
    for e, (t, v) in enumerate(ROWS):
        lines += [f"Train Epoch: {e} [0/9]\tLoss: {t}", f"Test set: Average loss: {v}, Accuracy: 9/10"]
    patterns = ["Train Epoch: {epoch} ", "Loss: {loss}", "Average loss: {val_loss},"]
    for given in (patterns, patterns[::-1]):
        history = only(read_history(write("\n".join(lines)), patterns=given)).history
        assert (history.train_loss, history.validation_loss) == (TRAIN, VALIDATION)


def test_a_progress_bar_in_a_log(write: Write) -> None:
    text = "".join(
        f"\r\x1b[1m1/2\x1b[0m - loss: 9.9\r\x1b[1m2/2\x1b[0m - loss: {t}\b\b\b - val_loss: {v}\n" for t, v in ROWS
    )
    history = only(read_history(write(text), patterns=["loss: {loss} - val_loss: {val_loss}"])).history
    assert (history.train_loss, history.validation_loss) == (TRAIN, VALIDATION)


@pytest.mark.parametrize("pattern", ["loss", "(?P<loss>[", "{}"])
def test_a_pattern_that_finds_nothing_is_an_error(write: Write, pattern: str) -> None:
    with pytest.raises(InputError):
        read_history(write("loss 1 val 2\n"), patterns=[pattern])


def test_runs_by_label_number_and_restart(write: Write) -> None:
    rows = list(zip(range(1, 6), TRAIN, VALIDATION, strict=True))
    by_label = "run,epoch,loss,val_loss\n" + "".join(f"{n},{e},{t},{v}\n" for n in ("a", "b") for e, t, v in rows)
    by_number = "seed,epoch,loss,val_loss\n" + "".join(f"{n},{e},{t},{v}\n" for n in (0, 1) for e, t, v in rows)
    appended = "epoch,loss,val_loss\n" + "".join(f"{e},{t},{v}\n" for _ in range(2) for e, t, v in rows)
    for text in (by_label, by_number, appended):
        readings = read_history(write(text))
        assert [reading.history.validation_loss for reading in readings] == [VALIDATION, VALIDATION]
        assert len({reading.source for reading in readings}) == 2


def test_rows_of_several_runs_without_epochs_are_a_run_each(write: Write) -> None:
    readings = read_history(write("run,accuracy,val_accuracy\nsmall,70,68\nlarge,99,75\n"))
    assert [reading.history.validation_metric for reading in readings] == [[68], [75]]


def test_a_resumed_run_keeps_the_later_rows(write: Write) -> None:
    text = "epoch,loss,val_loss\n1,2,2.1\n2,1.5,1.7\n3,9,9\n3,1.2,1.5\n4,1.0,1.6\n5,.9,1.8\n"
    reading = only(read_history(write(text)))
    assert reading.history.validation_loss == VALIDATION
    assert reading.notes


def test_unordered_epochs_are_sorted(write: Write) -> None:
    reading = only(read_history(write("epoch,loss,val_loss\n1,2,2.1\n3,1.2,1.5\n2,1.5,1.7\n5,.9,1.8\n4,1,1.6\n")))
    assert reading.history.train_loss == TRAIN
    assert reading.notes


def test_mlflow_folder(tmp_path: Path) -> None:
    for name, curve in (("train_loss", TRAIN), ("val_loss", VALIDATION)):
        place = tmp_path / "0" / "abc" / "metrics"
        place.mkdir(parents=True, exist_ok=True)
        (place / name).write_text("".join(f"170000000000{i} {v} {i}\n" for i, v in enumerate(curve)))
    for name in ("params", "tags"):
        (place.parent / name).mkdir()
        (place.parent / name / "lr").write_text("0.001")
    reading = only(read_history(tmp_path))
    assert (reading.history.train_loss, reading.history.validation_loss) == (TRAIN, VALIDATION)
    assert reading.format == "MLflow"
    assert not reading.notes


def test_a_folder_means_all_runs_in_it(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text("epoch,loss,val_loss\n1,2,2\n2,1,1.5\n")
    (tmp_path / "weights.bin").write_bytes(b"\0" * 100)
    (tmp_path / "config.json").write_text('{"width": 3}')
    readings = read_history(tmp_path)
    assert sorted(Path(reading.source).name for reading in readings) == ["a.csv", "b.csv"]


@pytest.mark.parametrize("own", [False, True])
def test_checkpoints_of_one_run_are_one_run(tmp_path: Path, *, own: bool) -> None:
    rows = [d for e, (t, v) in enumerate(ROWS, 1) for d in ({"loss": t, "step": e}, {"eval_loss": v, "step": e})]
    for name, count in (("checkpoint-3", 6), ("checkpoint-10", 10), *([("", 10)] if own else [])):
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / "trainer_state.json").write_text(json.dumps({"log_history": rows[:count]}))
    assert only(read_history(tmp_path)).history.validation_loss == VALIDATION


def test_a_folder_without_runs_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        read_history(tmp_path)


@pytest.mark.parametrize("name", ["lr", "learning_rate", "LearningRate", "lr-Adam", "train/learning_rate", "学習率"])
def test_the_learning_rate_comes_along(write: Write, name: str) -> None:
    reading = only(read_history(write(f"epoch,loss,val_loss,{name}\n1,2,2.1,.1\n2,1,1.5,.1\n3,0.5,1.4,.01\n")))
    assert reading.history.learning_rate == [0.1, 0.1, 0.01]
    assert reading.understood["learning_rate"] == name


def test_a_learning_rate_by_step_is_that_at_the_end_of_the_epoch(write: Write) -> None:
    rows = ["step,lr,train_loss,val_loss", "1,0.4,2.0,", "2,0.3,1.0,", "2,,,1.6", "3,0.2,0.9,", "4,0.1,0.7,", "4,,,1.5"]
    history = only(read_history(write("\n".join(rows)))).history
    assert history.train_loss == [1.5, pytest.approx(0.8)]
    assert history.learning_rate == [0.3, 0.1]


def test_a_learning_rate_with_holes_is_none(write: Write) -> None:
    history = only(read_history(write("epoch,loss,val_loss,lr\n1,2,2.1,.1\n2,1,1.5,nan\n"))).history
    assert history.learning_rate == []
    assert history.epochs == 2
