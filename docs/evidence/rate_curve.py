"""Test loss against the rate at a fixed width: 784 → 256 → 256 → 10 on 2,000 images of MNIST, one rate for both layers.

python docs/evidence/rate_curve.py [epochs [seeds]]
"""

from __future__ import annotations

import sys

from common import compared, interval, mlp, mnist_task, publish, spread

from sukima.records.recipe import Recipe

RATES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)


def main() -> None:
    """Train, compare, write."""
    epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    task = mnist_task(mlp(784, 256, 256, 10), 2_000, epochs=epochs)
    recipes = {f"{rate:g}": Recipe(rates={"1": rate, "3": rate}) for rate in RATES}
    found = compared("rate_curve", task, recipes, seeds)
    level = 100 * found.differences["0.5"].level
    lines = [f"| rate | test loss | gain [{level:.4g} % interval] | |", "|---|---|---|---|"]
    for arm in found.arms:
        gain = found.differences.get(arm.name)
        shown = f"{interval(gain)} | {gain.outcome}" if gain else "|"
        lines.append(f"| {arm.name} | {spread([trial.test.loss for trial in arm.trials])} | {shown} |")
    publish("rate_curve", f"{epochs} epochs, {seeds} seeds.\n\n" + "\n".join(lines))


if __name__ == "__main__":
    main()
