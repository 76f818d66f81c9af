"""The watch in other libraries' training loops."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn


class StillDropout(nn.Module):
    """Dropout with one mask for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.p = 0.5
        self.register_buffer("mask", torch.arange(16).remainder(2) * 2.0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.mask if self.training else x


def network() -> nn.Sequential:
    return nn.Sequential(nn.Linear(4, 16), nn.Tanh(), StillDropout(), nn.Linear(16, 2))


def data(size: int = 64) -> tuple[torch.Tensor, torch.Tensor]:
    x = torch.randn(size, 4, generator=torch.Generator().manual_seed(1))
    return x, (x[:, 0] > 0).long()


def test_lightning(tmp_path: Path) -> None:
    lightning = pytest.importorskip("lightning.pytorch")
    from sukima.integrations.lightning import WatchCallback

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.net = network()

        def training_step(self, batch: Any, _index: int) -> torch.Tensor:
            return nn.functional.cross_entropy(self.net(batch[0] * 255), batch[1])

        def validation_step(self, batch: Any, _index: int) -> None:
            self.net(batch[0])

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), 0.01)

    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*data()), batch_size=16)
    callback = WatchCallback(show=False)
    trainer = lightning.Trainer(
        max_epochs=2, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, callbacks=[callback], default_root_dir=tmp_path,
    )  # fmt: skip
    trainer.fit(Module(), loader, loader)
    assert sorted(f.code for f in callback.findings) == ["SK141", "SK239"]


def test_hugging_face(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    from sukima.integrations.hugging_face import WatchCallback

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = network()

        def forward(self, x: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
            logits = self.net(x)
            return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}

    x, y = data()
    rows = [{"x": a, "labels": b} for a, b in zip(x, y, strict=True)]
    callback = WatchCallback(show=False)
    arguments = transformers.TrainingArguments(
        tmp_path, num_train_epochs=1, report_to=[], use_cpu=True, save_strategy="no", disable_tqdm=True
    )
    transformers.Trainer(Model(), arguments, train_dataset=rows, callbacks=[callback]).train()
    assert [f.code for f in callback.findings] == ["SK141"]
