"""Early dropout against underfitting (Liu et al. 2023), on a network that is too small for its data.

784 → 16 → 16 → 10 on 20,000 images of MNIST: no dropout, dropout 0.1 throughout, dropout 0.1 in the first fifth of
training only, and in the last four fifths only.

    python docs/evidence/early_dropout.py [epochs [seeds]]
"""

from __future__ import annotations

import sys

from common import compared, interval, mlp, mnist_task, publish, spread, table

from sukima.comparison.statistics import paired_difference
from sukima.records.recipe import Recipe
from sukima.records.schedule import Early, Late

RATES = {"1": 0.1, "3": 0.1}
ARMS = {
    "none": Recipe(rates={"1": 0.0, "3": 0.0}),
    "throughout": Recipe(rates=RATES),
    "early": Recipe(rates=RATES, schedules={"*": Early(0.2)}),
    "late": Recipe(rates=RATES, schedules={"*": Late(0.2)}),
}


def main() -> None:
    """Train, compare, write."""
    epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    task = mnist_task(mlp(784, 16, 16, 10), 20_000, epochs=epochs, learning_rate=2e-3)
    found = compared("early_dropout", task, ARMS, seeds)
    lines = [
        "Training loss at the last epoch (underfitting is a high one):", "",
        "| arm | training loss | less than none [95 % interval] | |", "|---|---|---|---|",
    ]  # fmt: skip
    base = [trial.history.train_loss[-1] for trial in found.baseline.trials]
    for arm in found.arms:
        values = [trial.history.train_loss[-1] for trial in arm.trials]
        gain = paired_difference(base, values)
        shown = f"{interval(gain)} | {gain.outcome}" if arm is not found.baseline else "|"
        lines.append(f"| {arm.name} | {spread(values)} | {shown} |")
    publish("early_dropout", f"{epochs} epochs, {seeds} seeds.\n\n{table(found)}\n\n" + "\n".join(lines))


if __name__ == "__main__":
    main()
