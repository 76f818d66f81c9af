"""A small character transformer on tiny Shakespeare, with and without dropout.

Two layers of width 64, 4 heads, context 64, on the first part of the text; validation and test are later parts. Dropout
0.2 stands after the embedding, on attention weights, and in both branches of every block.

    python docs/evidence/shakespeare.py [characters [epochs [seeds]]]
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import torch
from common import HERE, compared, publish, table
from torch import Tensor, nn

from sukima.records.recipe import Recipe
from sukima.records.task import Task

CONTEXT, WIDTH, HEADS, LAYERS = 64, 64, 4, 2


class Transformer(nn.Module):
    """Predicts each next character."""

    def __init__(self, characters: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(characters, WIDTH)
        self.position = nn.Parameter(0.02 * torch.randn(CONTEXT, WIDTH))
        self.drop = nn.Dropout(0.0)
        block = nn.TransformerEncoderLayer(WIDTH, HEADS, 4 * WIDTH, 0.0, "gelu", batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(block, LAYERS, enable_nested_tensor=False)
        self.out = nn.Linear(WIDTH, characters)
        self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(CONTEXT), persistent=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """(batch, context) → (batch, context, characters)."""
        x = self.drop(self.embedding(tokens) + self.position)
        return self.out(self.blocks(x, mask=self.mask, is_causal=True))


def rows(text: Tensor) -> tuple[Tensor, Tensor]:
    """Stretches of the text, and the same one character later."""
    count = (len(text) - 1) // CONTEXT
    return text[: count * CONTEXT].view(count, CONTEXT), text[1 : count * CONTEXT + 1].view(count, CONTEXT)


def main() -> None:
    """Train, compare, write."""
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    epochs = int(sys.argv[2]) if len(sys.argv) > 2 else 40
    seeds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    folder = Path(os.environ.get("SUKIMA_DATA", HERE.parents[2] / "shared" / "data"))
    text = (folder / "tinyshakespeare.txt").read_text(encoding="utf-8")
    known = {character: number for number, character in enumerate(sorted(set(text)))}
    tokens = torch.tensor([known[character] for character in text])
    task = Task(
        model=lambda: Transformer(len(known)),
        train=rows(tokens[:size]),
        validation=rows(tokens[-120_000:-60_000]),
        test=rows(tokens[-60_000:]),
        metric="accuracy",
        optimizer="adamw",
        learning_rate=2e-3,
        batch_size=32,
        epochs=epochs,
        name=f"tiny Shakespeare, {size:,} characters",
    )
    arms = {"none": Recipe(rates={"*": 0.0}), "dropout 0.2": Recipe(rates={"*": 0.2})}
    found = compared("shakespeare", task, arms, seeds)
    publish(
        "shakespeare",
        f"{size:,} characters, {epochs} epochs, {seeds} seeds; loss in nats a character.\n\n{table(found)}",
    )


if __name__ == "__main__":
    main()
