"""Recipes in other libraries' training loops: in force, on schedule, with a history."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import sukima
import sukima.torch as st
from sukima.records.recipe import Recipe

RECIPE = Recipe(
    rates={"1": 0.5},
    penalties={"0": sukima.L2(0.1)},
    constraints={"2": sukima.MaxNorm(0.1)},
    schedules={"1": sukima.Linear(0.0, 1.0)},
)


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 16), nn.Dropout(0.1), nn.Linear(16, 2))


def data(size: int = 64) -> tuple[torch.Tensor, torch.Tensor]:
    x = torch.randn(size, 4, generator=torch.Generator().manual_seed(1))
    return x, (x[:, 0] > 0).long()


def check_history(path: Path, epochs: int) -> None:
    history = json.loads(path.read_text())
    assert len(history["train_loss"]) == len(history["validation_loss"]) == epochs
    assert history["train_in_inference_mode"] is False


def test_lightning(tmp_path: Path) -> None:
    lightning = pytest.importorskip("lightning.pytorch")
    from sukima.integrations.lightning import RecipeCallback

    seen = []

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.net = network()

        def training_step(self, batch: Any, _index: int) -> torch.Tensor:
            seen.append(float(self.net[1].p))
            loss = nn.functional.cross_entropy(self.net(batch[0]), batch[1])
            self.log("train_loss", loss, on_epoch=True, on_step=False)
            return loss

        def validation_step(self, batch: Any, _index: int) -> None:
            self.log("val_loss", nn.functional.cross_entropy(self.net(batch[0]), batch[1]))

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), 0.1)

    recipe = Recipe(
        rates={"net.1": 0.5},
        penalties={"net.0": sukima.L2(1.0)},
        constraints={"net.2": sukima.MaxNorm(0.1)},
        schedules={"net.1": sukima.Linear(0.0, 1.0)},
    )
    path = tmp_path / "history.json"
    callback = RecipeCallback(recipe, path)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*data()), batch_size=16)
    module = Module()
    trainer = lightning.Trainer(
        max_epochs=2, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, callbacks=[callback], num_sanity_val_steps=0,
    )  # fmt: skip
    trainer.fit(module, loader, loader)
    assert seen == pytest.approx([0.5 * step / 8 for step in range(8)])
    assert module.net[2].weight.norm(dim=1).max() <= 0.1 + 1e-6
    assert module.net[0].weight.norm() < 0.4 * network()[0].weight.norm()  # each step takes a fifth away
    assert "training_step" not in vars(module)
    check_history(path, 2)


def test_hugging_face(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    from sukima.integrations.hugging_face import RecipeCallback

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = network()

        def forward(self, x: torch.Tensor, labels: torch.Tensor) -> Any:
            logits = self.net(x)
            loss = nn.functional.cross_entropy(logits, labels)
            return transformers.modeling_outputs.SequenceClassifierOutput(loss=loss, logits=logits)

    rows = [{"x": x, "labels": y} for x, y in zip(*data(), strict=True)]
    path = tmp_path / "history.json"
    recipe = Recipe(rates={"net.1": 0.5}, constraints={"net.2": sukima.MaxNorm(0.1)})
    callback = RecipeCallback(recipe, path)
    options = transformers.TrainingArguments(
        output_dir=str(tmp_path), num_train_epochs=2, eval_strategy="epoch", logging_strategy="epoch",
        save_strategy="no", report_to=[], use_cpu=True, disable_tqdm=True,
    )  # fmt: skip
    model = Model()
    trainer = transformers.Trainer(model, options, train_dataset=rows, eval_dataset=rows, callbacks=[callback])
    trainer.train()
    assert model.net[1].p == 0.5
    assert model.net[2].weight.norm(dim=1).max() <= 0.1 + 1e-6
    check_history(path, 2)


def test_hugging_face_callback_by_its_events(tmp_path: Path) -> None:
    """The events that the ``Trainer`` sends, in their order; it needs a package that need not be installed."""
    pytest.importorskip("transformers")
    from types import SimpleNamespace

    from sukima.integrations.hugging_face import RecipeCallback

    class Model(nn.Sequential):
        def forward(self, x: torch.Tensor) -> Any:
            return SimpleNamespace(loss=super().forward(x).square().mean())

    model = Model(*network())
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    path = tmp_path / "history.json"
    callback = RecipeCallback(RECIPE, path, metric="accuracy")
    state = SimpleNamespace(global_step=0, max_steps=4)
    callback.on_train_begin(None, state, None, model=model, optimizer=optimizer)
    for state.global_step in range(4):
        callback.on_step_begin(None, state, None)
        assert model[1].p == pytest.approx(0.5 * state.global_step / 4)
        torch.manual_seed(1)
        loss = model(data()[0]).loss
        torch.manual_seed(1)
        plain = nn.Sequential.forward(model, data()[0]).square().mean()
        torch.testing.assert_close(loss, plain + 0.1 * model[0].weight.square().sum())
        loss.backward()
        optimizer.step()
        assert model[2].weight.norm(dim=1).max() <= 0.1 + 1e-6
        callback.on_log(None, state, None, logs={"loss": float(loss.detach())})
        callback.on_evaluate(None, state, None, metrics={"eval_loss": 1.0, "eval_accuracy": 0.5})
    callback.on_train_end(None, state, None)
    check_history(path, 4)
    assert callback.history.validation_metric == [0.5] * 4


def test_skorch_works_as_it_is() -> None:
    skorch = pytest.importorskip("skorch")
    net = st.replace(network())
    sukima.apply(net, Recipe(rates={"1": 0.3}))
    classifier = skorch.NeuralNetClassifier(net, criterion=nn.CrossEntropyLoss, max_epochs=20, lr=0.5, verbose=0)
    x, y = data(256)
    classifier.fit(x.numpy(), y.numpy())
    assert (classifier.predict(x.numpy()) == y.numpy()).mean() > 0.9
    assert classifier.module_[1].p == 0.3
