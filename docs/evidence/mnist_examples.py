"""The teaching examples B and C on MNIST: 784 → 512/256/128 ReLU → 10 without dropout, and with 0.5, 0.5, 0.3.

Adam, batch 128, 20 epochs, the last fifth of the training set for validation, five paired seeds. All figures are in
inference mode, at the last epoch as they were published, and at each run's best validation loss.

    python docs/evidence/mnist_examples.py [epochs [seeds]]
"""

from __future__ import annotations

import sys

from common import compared, mlp, publish, spread, table

from sukima.records.recipe import Recipe
from sukima.records.task import Task
from sukima.workflow.datasets import load_dataset

ARMS = {
    "B: no dropout": Recipe(rates={"1": 0.0, "3": 0.0, "5": 0.0}),
    "C: 0.5, 0.5, 0.3": Recipe(rates={"1": 0.5, "3": 0.5, "5": 0.3}),
}


def main() -> None:
    """Train, compare, write."""
    epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    train, test = load_dataset("mnist")
    task = Task(
        model=mlp(784, 512, 256, 128, 10),
        train=tuple(train),
        validation=0.2,
        test=tuple(test),
        metric="accuracy",
        batch_size=128,
        learning_rate=1e-3,
        epochs=epochs,
        name="MNIST",
    )
    found = compared("mnist_examples", task, ARMS, seeds)
    lines = [
        f"{epochs} epochs, {seeds} seeds.", "",
        "At the last epoch:", "",
        "| arm | training accuracy | validation accuracy | validation loss |", "|---|---|---|---|",
    ]  # fmt: skip
    for arm in found.arms:
        curves = [trial.history for trial in arm.trials]
        cells = (
            spread([getattr(h, name)[-1] for h in curves])
            for name in ("train_metric", "validation_metric", "validation_loss")
        )
        lines.append(f"| {arm.name} | {' | '.join(cells)} |")
    publish("mnist_examples", "\n".join([*lines, "", "At the best validation loss of each run:", "", table(found)]))


if __name__ == "__main__":
    main()
