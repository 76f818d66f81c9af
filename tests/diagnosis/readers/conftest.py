"""The same run of five epochs, as each tool writes it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

TRAIN = [2.0, 1.5, 1.2, 1.0, 0.9]
VALIDATION = [2.1, 1.7, 1.5, 1.6, 1.8]
TRAIN_ACCURACY = [0.3, 0.5, 0.6, 0.7, 0.75]
VALIDATION_ACCURACY = [0.28, 0.45, 0.5, 0.48, 0.46]
ROWS = list(zip(range(1, 6), TRAIN, VALIDATION, TRAIN_ACCURACY, VALIDATION_ACCURACY, strict=True))


def csv_of(names: str, delimiter: str = ",", decimal: str = ".") -> str:
    lines = [delimiter.join(names.split(","))]
    lines += [delimiter.join(str(v).replace(".", decimal) for v in row) for row in ROWS]
    return "\n".join(lines) + "\n"


def lightning() -> str:
    """Rows of validation and of training apart, the step of a batch among them."""
    lines = ["epoch,step,train_acc,train_loss_epoch,train_loss_step,val_acc,val_loss"]
    for epoch, train, validation, train_acc, val_acc in ROWS:
        lines.append(f"{epoch - 1},{epoch * 10 - 5},,,{train + 0.3},,")
        lines.append(f"{epoch - 1},{epoch * 10 - 1},,,,{val_acc},{validation}")
        lines.append(f"{epoch - 1},{epoch * 10 - 1},{train_acc},{train},,,")
    return "\n".join(lines)


def hugging_face() -> str:
    rows: list[dict[str, float]] = []
    for epoch, train, validation, _, val_acc in ROWS:
        # Two logs an epoch; their mean is the epoch's training loss.
        rows.append({"loss": train + 0.1, "learning_rate": 1e-4, "epoch": epoch - 0.5, "step": epoch * 10 - 5})
        rows.append({"loss": train - 0.1, "learning_rate": 1e-4, "epoch": float(epoch), "step": epoch * 10})
        rows.append(
            {"eval_loss": validation, "eval_accuracy": val_acc, "eval_runtime": 1.0, "epoch": epoch, "step": epoch * 10}
        )
    rows.append({"train_loss": 1.3, "train_runtime": 60.0, "total_flos": 1e12, "epoch": 5.0, "step": 50})
    return json.dumps({"best_metric": 1.5, "best_model_checkpoint": None, "epoch": 5.0, "log_history": rows})


def wandb_chart() -> str:
    lines = ['"Step","red run-1 - loss","red run-1 - loss__MIN","red run-1 - loss__MAX","red run-1 - val_loss"']
    return "\n".join(lines + [f'"{e}","{t}","{t}","{t}","{v}"' for e, t, v, _, _ in ROWS])


def wandb_history() -> str:
    return "\n".join(
        json.dumps({"_step": e, "_runtime": e * 1.5, "train": {"loss": t}, "val": {"loss": v}})
        for e, t, v, _, _ in ROWS
    )


def mlflow_long() -> str:
    lines = ["run_id,key,value,timestamp,step"]
    for name, curve in (("train_loss", TRAIN), ("val_loss", VALIDATION)):
        lines += [f"abc,{name},{v},170000000000{i},{i}" for i, v in enumerate(curve)]
    return "\n".join(lines)


def keras() -> dict[str, list[float]]:
    return {"loss": TRAIN, "accuracy": TRAIN_ACCURACY, "val_loss": VALIDATION, "val_accuracy": VALIDATION_ACCURACY}


def frame() -> str:
    """As a data frame writes itself: numbered by name, and in no order after a tool has sorted the names."""
    return json.dumps({name: {str(i): curve[i] for i in reversed(range(5))} for name, curve in keras().items()})


def by_epoch() -> str:
    return json.dumps({f"epoch_{e}": {"train": {"loss": t}, "val": {"loss": v}} for e, t, v, _, _ in reversed(ROWS)})


def rows_beside_settings() -> str:
    rows = [{"epoch": e, "train_loss": t, "val_loss": v} for e, t, v, _, _ in ROWS]
    best = {"train_loss": TRAIN[2], "val_loss": VALIDATION[2]}
    return json.dumps({"config": {"lr": 0.1, "sizes": [3, 4]}, **best, "epochs": rows})


def markdown() -> str:
    lines = ["| Training Loss | Epoch | Step | Validation Loss |", "|:-------------:|:-----:|:----:|:---------------:|"]
    return "\n".join(lines + [f"| {t} | {e}.0 | {e * 10} | {v} |" for e, t, v, _, _ in ROWS])


def lightning_loaders() -> str:
    """Two validation loaders; the first is taken."""
    lines = ["epoch,step,train_loss,val_loss/dataloader_idx_0,val_loss/dataloader_idx_1"]
    for epoch, train, validation, _, _ in ROWS:
        lines += [f"{epoch - 1},{epoch * 10 - 1},{train},,", f"{epoch - 1},{epoch * 10 - 1},,{validation},7"]
    return "\n".join(lines)


def wandb_chart_over_time() -> str:
    lines = ['"Relative Time (Process)","resnet - lr 0.1 - train-loss","resnet - lr 0.1 - val-loss"']
    return "\n".join(lines + [f'"{e * 1.5}","{t}","{v}"' for e, t, v, _, _ in ROWS])


FILES: dict[str, str] = {
    "keras_logger": csv_of("epoch,loss,val_loss,accuracy,val_accuracy"),
    "words": csv_of("Epoch,Training Loss,Validation Loss,Training Accuracy,Validation Accuracy"),
    "tsv_slashes": csv_of("step,train/loss,val/loss,train/acc,val/acc", "\t"),
    "camel_case": csv_of("epoch,trainLoss,validLoss,trainAcc,validAcc"),
    "loss_first": csv_of("iter,loss_train,loss_test,acc_train,acc_test"),
    "japanese": csv_of("エポック,訓練損失,検証損失,訓練正解率,検証正解率"),
    "decimal_comma": csv_of("epoch,train_loss,val_loss,train_acc,val_acc", ";", ","),
    "blanks": csv_of("epoch,loss,val_loss,acc,val_acc", " "),
    "byte_order_mark": "\ufeff" + csv_of("epoch,loss,val_loss,acc,val_acc"),
    "lightning": lightning(),
    "hugging_face": hugging_face(),
    "keras_json": json.dumps(keras()),
    "keras_json_in_history": json.dumps({"params": {"epochs": 5}, "history": keras()}),
    "json_rows": json.dumps([{"epoch": e, "loss": t, "val_loss": v} for e, t, v, _, _ in ROWS]),
    "wandb_chart": wandb_chart(),
    "wandb_history": wandb_history(),
    "mlflow_long": mlflow_long(),
    "frame": frame(),
    "by_epoch": by_epoch(),
    "rows_beside_settings": rows_beside_settings(),
    "boosting": json.dumps({"training": {"binary_logloss": TRAIN}, "valid_1": {"binary_logloss": VALIDATION}}),
    "markdown": markdown(),
    "remarks": "# run 3\n# of train.py, a sweep\n" + csv_of("epoch,loss,val_loss,acc,val_acc"),
    "names_in_a_remark": "# of train.py\n# " + csv_of("epoch,loss,val_loss,acc,val_acc", " "),
    "spreadsheet": "sep=;\n" + csv_of("epoch,loss,val_loss,acc,val_acc", ";", ","),
    "role_last": csv_of("epoch,Loss - train,Loss - val,Accuracy - train,Accuracy - val"),
    "lightning_loaders": lightning_loaders(),
    "wandb_chart_over_time": wandb_chart_over_time(),
    "own": json.dumps({"train_loss": TRAIN, "validation_loss": VALIDATION, "metric": ""}),
}


@pytest.fixture(params=sorted(FILES))
def written(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A file of each format, under a name that says nothing."""
    path = tmp_path / "history"
    path.write_text(FILES[request.param], encoding="utf-8")
    return path


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str | bytes], Path]:
    def make(content: str | bytes) -> Path:
        path = tmp_path / "history"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return make
