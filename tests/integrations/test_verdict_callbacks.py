"""Verdicts while other libraries train: as they form, with a warning, and with an early stop."""

import json
import math
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from sukima.base.errors import InputError
from sukima.diagnosis.live import Monitor
from sukima.integrations.judging import Judging, OverfittingWarning
from sukima.records.verdict import Verdict

EPOCHS = 60


def data(size: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Labels that are mostly noise: a large network can only learn them by heart."""
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(size, 20, generator=draw)
    return x, (x[:, 0] + 2 * torch.randn(size, generator=draw) > 0).long()


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 2))


def check(callback: Judging, path: Path) -> None:
    """It overfitted, was noticed, and was stopped well before the end."""
    assert callback.verdict is not None
    assert callback.verdict.verdict == "overfitting"
    assert 8 <= callback.history.epochs < EPOCHS
    written = json.loads(path.read_text())
    assert len(written["train_loss"]) == len(written["validation_loss"]) == callback.history.epochs
    assert len(written["learning_rate"]) == callback.history.epochs
    assert written["status"] == "early_stopped"
    assert written["note"]


def test_lightning(tmp_path: Path) -> None:
    lightning = pytest.importorskip("lightning.pytorch", reason="Lightning is not installed")
    from sukima.integrations.lightning import VerdictCallback

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.net = network()

        def training_step(self, batch: Any, _index: int) -> torch.Tensor:
            loss = nn.functional.cross_entropy(self.net(batch[0]), batch[1])
            self.log("train_loss", loss, on_epoch=True, on_step=False)
            return loss

        def validation_step(self, batch: Any, _index: int) -> None:
            self.log("val_loss", nn.functional.cross_entropy(self.net(batch[0]), batch[1]))

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.Adam(self.parameters(), 0.01)

    seen: list[tuple[int, str]] = []
    callback = VerdictCallback(
        stop=True, on_verdict=lambda epoch, verdict: seen.append((epoch, verdict.verdict)), path=tmp_path / "h.json"
    )
    trainer = lightning.Trainer(
        max_epochs=EPOCHS, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, callbacks=[callback], num_sanity_val_steps=2, check_val_every_n_epoch=1,
    )  # fmt: skip
    loaders = [
        torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*data(*made)), batch_size=32)
        for made in ((64, 1), (200, 2))
    ]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        trainer.fit(Module(), *loaders)
    assert sum(issubclass(one.category, OverfittingWarning) for one in caught) == 1
    assert [epoch for epoch, _ in seen] == list(range(1, callback.history.epochs + 1))
    assert callback.history.learning_rate == [0.01] * callback.history.epochs
    check(callback, tmp_path / "h.json")


def test_lightning_passes_over_epochs_without_validation() -> None:
    lightning = pytest.importorskip("lightning.pytorch", reason="Lightning is not installed")
    from sukima.integrations.lightning import VerdictCallback

    callback = VerdictCallback()
    trainer = SimpleNamespace(
        sanity_checking=True, optimizers=[], callback_metrics={"train_loss": 1.0, "val_loss": 2.0}
    )
    callback.on_validation_end(trainer, None)
    callback.on_train_epoch_end(trainer, None)
    assert callback.history.epochs == 0
    trainer.sanity_checking = False
    callback.on_validation_end(trainer, None)
    callback.on_train_epoch_end(trainer, None)
    callback.on_train_epoch_end(trainer, None)
    assert callback.history.validation_loss == [2.0]
    assert isinstance(callback, lightning.Callback)


def test_hugging_face(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    pytest.importorskip("accelerate", reason="the Trainer needs accelerate")
    from sukima.integrations.hugging_face import VerdictCallback

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = network()

        def forward(self, x: torch.Tensor, labels: torch.Tensor) -> Any:
            logits = self.net(x)
            loss = nn.functional.cross_entropy(logits, labels)
            return transformers.modeling_outputs.SequenceClassifierOutput(loss=loss, logits=logits)

    def rows(size: int, seed: int) -> list[dict[str, torch.Tensor]]:
        return [{"x": x, "labels": y} for x, y in zip(*data(size, seed), strict=True)]

    options = transformers.TrainingArguments(
        output_dir=str(tmp_path), num_train_epochs=EPOCHS, eval_strategy="epoch", logging_strategy="steps",
        logging_steps=1, save_strategy="no", report_to=[], use_cpu=True, disable_tqdm=True, learning_rate=0.01,
        per_device_train_batch_size=32,
    )  # fmt: skip
    callback = VerdictCallback(stop=True, path=tmp_path / "h.json")
    trainer = transformers.Trainer(
        Model(), options, train_dataset=rows(64, 1), eval_dataset=rows(200, 2), callbacks=[callback]
    )
    with pytest.warns(OverfittingWarning):
        trainer.train()
    check(callback, tmp_path / "h.json")


def play(callback: Any, control: Any) -> None:
    """Training with two logs an epoch and an evaluation at its end, until it is stopped."""
    for epoch in range(EPOCHS):
        for half in (0.1, -0.1):
            callback.on_log(None, None, control, logs={"loss": math.exp(-epoch / 5) + half, "learning_rate": 0.1})
        callback.on_log(None, None, control, logs={"eval_loss": 1.0})
        callback.on_evaluate(None, None, control, metrics={"eval_loss": 0.5 + abs(epoch - 10) / 20})
        if control.should_training_stop:
            return


def test_hugging_face_by_its_events(tmp_path: Path) -> None:
    """The events that the ``Trainer`` sends, in their order; it needs a package that need not be installed."""
    pytest.importorskip("transformers", reason="transformers is not installed")
    from sukima.integrations.hugging_face import VerdictCallback

    callback = VerdictCallback(stop=True, path=tmp_path / "h.json")
    control = SimpleNamespace(should_training_stop=False)
    callback.on_evaluate(None, None, control, metrics={"eval_loss": 9.0})  # before training
    with pytest.warns(OverfittingWarning):
        play(callback, control)
    callback.on_train_end(None, None, control)
    assert callback.history.train_loss[:2] == pytest.approx([1.0, math.exp(-1 / 5)])
    check(callback, tmp_path / "h.json")


def test_a_loss_that_is_no_number_always_stops() -> None:
    watch = Judging()
    assert not watch.epoch(1.0, 1.0)
    assert watch.epoch(math.nan, 1.0)
    assert watch.history.status == "diverged"


def test_without_stop_training_goes_on() -> None:
    verdicts: list[Verdict] = []
    watch = Judging(warn=False, on_verdict=lambda _, verdict: verdicts.append(verdict))
    for epoch in range(40):
        assert not watch.epoch(1 / (epoch + 1), 1 / (epoch + 1) + 0.05 * epoch)
    assert watch.monitor.should_stop
    assert watch.history.status == "finished"
    assert len(verdicts) == 40


def test_an_epoch_without_losses_is_passed_over() -> None:
    watch = Judging()
    assert not watch.epoch(None, 1.0)
    assert watch.verdict is None


def test_wrong_settings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="monitor"):
        Judging(3)  # type: ignore[arg-type]
    with pytest.raises(InputError):
        Judging(path=tmp_path / "no" / "such" / "folder.json")


def test_the_outlook_is_in_points_where_accuracies_are_known() -> None:
    monitor, other = Monitor(metric="accuracy"), Monitor()
    for epoch in range(1, 21):
        losses = {"train_loss": 1 / epoch, "validation_loss": 0.2 + 1 / epoch}
        monitor.update(**losses, train_metric=1 - 0.5 / epoch, validation_metric=0.9 - 0.4 / epoch)
        other.update(**losses)
    assert "points of accuracy" in monitor.outlook(20).text("en")
    assert "change the validation loss" in other.outlook(20).text("en")
    with pytest.raises(InputError, match="epochs"):
        monitor.outlook(0)
