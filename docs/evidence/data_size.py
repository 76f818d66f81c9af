"""The gain of dropout against the number of training images.

784 → 256 → 256 → 10 on MNIST, Adam; none against 0.5 at both hidden layers for 100 to 50,000 images. Each run takes
about as many steps as the others.

    python docs/evidence/data_size.py [steps [seeds [most images]]]
"""

from __future__ import annotations

import sys

from common import compared, interval, mlp, mnist_task, publish, spread

from sukima.records.recipe import Recipe
from sukima.records.result import Comparison

SIZES = (100, 500, 1_000, 5_000, 10_000, 50_000)


def recipe(rate: float) -> Recipe:
    """The same rate at both hidden layers."""
    return Recipe(rates={"1": rate, "3": rate})


def losses(found: Comparison, arm: str) -> list[float]:
    """Test loss of each run."""
    return [trial.test.loss for trial in found.arm(arm).trials]


def main() -> None:
    """Train, compare, write."""
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    lines = ["| images | epochs | loss without | loss with 0.5 | gain [95 % interval] | |", "|---|---|---|---|---|---|"]
    most = int(sys.argv[3]) if len(sys.argv) > 3 else max(SIZES)
    for rows in [size for size in SIZES if size <= most]:
        epochs = max(5, min(100, round(steps * 128 / rows)))
        task = mnist_task(mlp(784, 256, 256, 10), rows, epochs=epochs, batch_size=min(128, rows // 4))
        found = compared("data_size", task, {"none": recipe(0), "dropout": recipe(0.5)}, seeds)
        gain = found.differences["dropout"]
        cells = (spread(losses(found, arm)) for arm in ("none", "dropout"))
        lines.append(f"| {rows:,} | {epochs} | {' | '.join(cells)} | {interval(gain)} | {gain.outcome} |")
    publish("data_size", f"About {steps} steps a run, {seeds} seeds.\n\n" + "\n".join(lines))


if __name__ == "__main__":
    main()
