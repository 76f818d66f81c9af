"""What dropout does to hidden units: robustness to noise, co-adaptation, and what a linear probe reads from them.

784 → 256 → 256 → 10 on 2,000 images of MNIST, none against 0.5 at both hidden layers, judged at the best validation
loss. The probe is a logistic regression on the last hidden layer, fitted to the training images and tested on the test
set, and one fitted to 2,000 images that the network never saw.

    python docs/evidence/features.py [epochs [seeds]]
"""

from __future__ import annotations

import sys

import numpy as np
import torch
from cached import cached
from common import compared, interval, mlp, mnist_task, publish, spread
from sklearn.linear_model import LogisticRegression

from sukima.comparison.statistics import paired_difference
from sukima.engines.torch.fit import fit
from sukima.records.recipe import Recipe
from sukima.records.task import Task

ARMS = {"none": Recipe(rates={"1": 0.0, "3": 0.0}), "dropout": Recipe(rates={"1": 0.5, "3": 0.5})}
EFFECTS = {
    "gap": "gap", "noisy_loss": "loss with noise on the inputs", "co_adaptation": "co-adaptation",
    "calibration": "calibration error", "masked": "loss of 50 masked passes less that of one unmasked",
}  # fmt: skip


def probe(task: Task, recipe: Recipe, seed: int) -> dict[str, float]:
    """Test error in percent of logistic regressions on the last hidden layer."""
    net = fit(task, recipe, seed).model.eval()

    def hidden(x: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return net[:4](torch.as_tensor(x)).numpy()

    fresh = tuple(part[:2000] for part in task.validation)
    found = {}
    for name, (x, y) in {"the training images": task.train, "fresh images": fresh}.items():
        model = LogisticRegression(max_iter=300).fit(hidden(x), y)
        found[name] = 100 * (1 - model.score(hidden(task.test[0]), task.test[1]))
    return found


def main() -> None:
    """Train, compare, write."""
    epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    task = mnist_task(mlp(784, 256, 256, 10), 2_000, epochs=epochs)
    found = compared("features", task, ARMS, seeds, effects=True)
    lines = ["| measure | none | dropout | gain [95 % interval] | |", "|---|---|---|---|---|"]
    for name, label in EFFECTS.items():
        effect = found.effects[name]
        values = (spread(effect.values[arm]) for arm in ARMS)
        gain = effect.differences["dropout"]
        lines.append(f"| {label} | {' | '.join(values)} | {interval(gain)} | {gain.outcome} |")
    errors = {
        arm: [
            cached("features", [arm, seed, epochs], lambda r=recipe, s=seed: probe(task, r, s)) for seed in range(seeds)
        ]
        for arm, recipe in ARMS.items()
    }
    for name in ("the training images", "fresh images"):
        of = {arm: [one[name] for one in runs] for arm, runs in errors.items()}
        gain = paired_difference(of["none"], of["dropout"])
        values = " | ".join(spread(of[arm], 2) for arm in ARMS)
        lines.append(f"| error % of a probe fitted to {name} | {values} | {interval(gain, 2)} | {gain.outcome} |")
    publish("features", f"{epochs} epochs, {seeds} seeds.\n\n" + "\n".join(lines))


if __name__ == "__main__":
    main()
