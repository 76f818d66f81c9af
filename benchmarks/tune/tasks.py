"""The tasks on which tuners are measured, and the plain torch trainer that judges their winners.

Data of MNIST, CIFAR-10, tiny Shakespeare and UCI lie in the folder ``SUKIMA_DATA``. ``split`` decides which rows are
training, validation and test data, so that every repeat of a benchmark sees others.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from sukima import Task
from sukima.torch.sites import sites
from sukima.tuning.space import Space
from sukima.workflow.demo import demo_task

__all__ = ["TASKS", "Score", "make_task", "space_of", "train_plain"]

os.environ.setdefault("SUKIMA_DATA", str(Path(__file__).parents[3] / "shared" / "data"))

CONTEXT, WIDTH, HEADS, BLOCKS = 64, 64, 4, 2


def mlp(*widths: int) -> nn.Sequential:
    """Linear layers with ReLU and dropout between them."""
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(widths[:-1]):
        layers += [nn.Linear(fan_in, fan_out), nn.ReLU(), nn.Dropout(0.5)]
    return nn.Sequential(*layers, nn.Linear(widths[-2], widths[-1]))


def cnn() -> nn.Sequential:
    """Two convolutions and two linear layers for 32 × 32 images."""
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.2),
        nn.Flatten(), nn.Linear(32 * 8 * 8, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10),
    )  # fmt: skip


class Block(nn.Module):
    """Attention and a feed-forward layer, each with dropout before it is added."""

    def __init__(self) -> None:
        super().__init__()
        self.norm_a, self.norm_b = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.mix, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.wide, self.back = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)
        self.drop_a, self.drop_b = nn.Dropout(0.1), nn.Dropout(0.1)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, context, width), as it came in."""
        parts = self.mix(self.norm_a(x)).unflatten(-1, (3, HEADS, -1)).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(*parts, is_causal=True).transpose(1, 2).flatten(2)
        x = x + self.drop_a(self.out(mixed))
        return x + self.drop_b(self.back(functional.gelu(self.wide(self.norm_b(x)))))


class Transformer(nn.Module):
    """Predicts each next character."""

    def __init__(self, characters: int) -> None:
        super().__init__()
        self.embedding, self.drop = nn.Embedding(characters, WIDTH), nn.Dropout(0.1)
        self.position = nn.Parameter(0.02 * torch.randn(CONTEXT, WIDTH))
        self.blocks = nn.Sequential(*(Block() for _ in range(BLOCKS)))
        self.last = nn.Linear(WIDTH, characters)

    def forward(self, tokens: Tensor) -> Tensor:
        """(batch, context) → (batch, context, characters)."""
        return self.last(self.blocks(self.drop(self.embedding(tokens) + self.position)))


def _digits(split: int, rows: int = 800) -> Task:
    task = demo_task(train_rows=rows, split=split)
    return replace(task, model=partial(mlp, 64, 256, 128, 10), spare=None)


def _mnist(split: int, rows: int, epochs: int, batch: int) -> Task:
    task = demo_task("mnist", train_rows=rows, split=split)
    few = {part: tuple(side[:2000] for side in getattr(task, part)) for part in ("validation", "test")}
    return replace(
        task, model=partial(mlp, 784, 256, 128, 10), epochs=epochs, batch_size=batch, spare=None, **few
    )  # fmt: skip


def _cifar(split: int) -> Task:
    with np.load(Path(os.environ["SUKIMA_DATA"]) / "cifar10_subset.npz", allow_pickle=False) as file:
        x, y = (np.concatenate([file[f"{name}_{part}"] for part in ("train", "test")]) for name in "xy")
    order = np.random.default_rng(split).permutation(len(y))
    images = np.ascontiguousarray(x[order[:4000]].transpose(0, 3, 1, 2)).astype(np.float32) / 255
    labels = y[order[:4000]].astype(np.int64)
    train, validation, test = (
        (images[a:b] - 0.5, labels[a:b]) for a, b in ((0, 2000), (2000, 3000), (3000, 4000))
    )  # fmt: skip
    return Task(
        model=cnn, train=train, validation=validation, test=test, metric="accuracy", learning_rate=1e-3, batch_size=64,
        epochs=12, name="CIFAR-10, 2000 training images",
    )  # fmt: skip


def _shakespeare(split: int) -> Task:
    text = (Path(os.environ["SUKIMA_DATA"]) / "tinyshakespeare.txt").read_text(encoding="utf-8")
    known = {character: number for number, character in enumerate(sorted(set(text)))}
    begin = 120_000 * split % (len(text) - 60_000)
    tokens = torch.tensor([known[character] for character in text[begin : begin + 60_000]])

    def rows(part: Tensor) -> tuple[Tensor, Tensor]:
        count = (len(part) - 1) // CONTEXT
        return part[: count * CONTEXT].view(count, CONTEXT), part[1 : count * CONTEXT + 1].view(count, CONTEXT)

    return Task(
        model=partial(Transformer, len(known)), train=rows(tokens[:20_000]), validation=rows(tokens[20_000:35_000]),
        test=rows(tokens[35_000:]), metric="accuracy", optimizer="adamw", learning_rate=3e-3, batch_size=32,
        epochs=24, name="tiny Shakespeare, 20,000 characters",
    )  # fmt: skip


def _uci(split: int, name: str) -> Task:
    folder = Path(os.environ["SUKIMA_DATA"]) / "uci" / name
    table = np.loadtxt(folder / "data.txt")
    x = table[:, np.loadtxt(folder / "index_features.txt").astype(int)]
    y = table[:, int(np.loadtxt(folder / "index_target.txt"))][:, None]
    inside, test = (np.loadtxt(folder / f"index_{part}_{split % 20}.txt").astype(int) for part in ("train", "test"))
    inside = np.random.default_rng(split).permutation(inside)
    train, validation = np.split(inside, [len(inside) * 4 // 5])
    spread = x[train].std(0)
    x = (x - x[train].mean(0)) / np.where(spread == 0, 1, spread)
    y = (y - y[train].mean()) / y[train].std()
    return Task(
        model=partial(mlp, x.shape[1], 64, 64, 1), loss="mse", learning_rate=2e-3, batch_size=32, epochs=60,
        name=f"UCI {name}",
        **{
            part: (x[rows].astype(np.float32), y[rows].astype(np.float32))
            for part, rows in (("train", train), ("validation", validation), ("test", test))
        },
    )  # fmt: skip


TASKS: dict[str, Callable[[int], Task]] = {
    "digits": _digits,
    "digits-200": partial(_digits, rows=200),
    "mnist-1k": partial(_mnist, rows=1000, epochs=30, batch=32),
    "mnist-10k": partial(_mnist, rows=10_000, epochs=12, batch=128),
    "cifar": _cifar,
    "shakespeare": _shakespeare,
    "concrete": partial(_uci, name="concrete"),
    "energy": partial(_uci, name="energy"),
    "yacht": partial(_uci, name="yacht"),
}
"""Name → the task with the data of a split."""


def make_task(name: str, split: int) -> Task:
    """The task of that name; weights and data are 32-bit numbers."""
    return TASKS[name](split)


def space_of(task: Task) -> Space:
    """The rates of a task's sites: what sukima searches by default, and so what everyone here searches."""
    found = sites(task.model(), torch.as_tensor(task.train[0][:2]))
    return Space.of(found)


@dataclass(frozen=True)
class Score:
    """A trial at its best epoch of validation."""

    validation: float
    test: float


_LOSSES: dict[Any, Callable[..., Tensor]] = {"cross_entropy": functional.cross_entropy, "mse": functional.mse_loss}
_OPTIMIZERS: dict[Any, Callable[..., torch.optim.Optimizer]] = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}


def train_plain(
    task: Task,
    rates: Mapping[str, float],
    seed: int,
    report: Callable[[int, float], None] = lambda epoch, loss: None,
    *,
    test: bool = False,
) -> Score:
    """Train as people write it: a loop, an optimizer, ``nn.Dropout``; each epoch ends with the validation loss.

    Args:
        task: one of those above.
        rates: site → rate; the sites are dropout modules.
        seed: of weights, order and masks.
        report: told of each epoch's validation loss (best so far); what it raises ends the training.
        test: whether the test loss is measured where the validation loss is best.
    """
    torch.manual_seed(seed)
    model = task.model()
    for name, rate in rates.items():
        model.get_submodule(name).p = rate
    x, y = (torch.as_tensor(part) for part in task.train)
    loss_of = _LOSSES[task.loss]
    optimizer = _OPTIMIZERS[task.optimizer](model.parameters(), lr=task.learning_rate)
    best, tested = math.inf, math.nan
    for epoch in range(task.epochs):
        model.train()
        for chosen in torch.randperm(len(y)).split(task.batch_size):
            loss = _loss(loss_of, model(x[chosen]), y[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        value = _measure(model, loss_of, task.validation)
        if value < best:
            best = value
            tested = _measure(model, loss_of, task.test) if test else math.nan
        report(epoch, best)
    return Score(best, tested)


def _loss(loss_of: Callable[..., Tensor], outputs: Tensor, targets: Tensor) -> Tensor:
    return loss_of(outputs.flatten(0, 1), targets.flatten()) if outputs.ndim == 3 else loss_of(outputs, targets)


@torch.inference_mode()
def _measure(model: nn.Module, loss_of: Callable[..., Tensor], data: Any) -> float:
    x, y = (torch.as_tensor(part) for part in data)
    model.eval()
    sizes = [(float(_loss(loss_of, model(a), b)), len(b)) for a, b in zip(x.split(512), y.split(512), strict=True)]
    return sum(loss * size for loss, size in sizes) / len(y)
