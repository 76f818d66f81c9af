"""Claims of teaching material about depth: that L1, L2, early stopping and augmentation weaken in deep networks, and
that dropout speeds convergence. Measured at 2, 6 and 12 hidden layers.

784 → depth × 64 → 10, ReLU, on 2,000 images of MNIST, Adam. Dropout 0.2 after every hidden layer, augmentation by noise
of 0.3 of the inputs' standard deviation. Epochs are those until 1.1 times the best validation loss without
regularization.

    python docs/evidence/depth.py [epochs [seeds]]
"""

from __future__ import annotations

import sys

import msgspec
from common import HERE, effects_of, given_loss, interval, mlp, mnist_task, publish, spread

from sukima.comparison.experiment import Experiment
from sukima.comparison.plan import ArmPlan
from sukima.comparison.runs import RunFile
from sukima.comparison.statistics import paired_difference
from sukima.comparison.variants import noise_for
from sukima.engines.progress import default_progress
from sukima.records.penalty import L1, L2
from sukima.records.recipe import Recipe

DEPTHS = (2, 6, 12)


def main() -> None:
    """Train, compare, write."""
    epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    lines = [
        f"{epochs} epochs, {seeds} seeds; intervals hold together for the five arms of one depth.", "",
        "| hidden layers | arm | test loss | gain in loss [99 % interval] | | epochs to the given loss |",
        "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for depth in DEPTHS:
        task = mnist_task(mlp(784, *[64] * depth, 10), 2_000, epochs=epochs)
        sites = [str(2 * k + 1) for k in range(depth)]
        none = Recipe(rates=dict.fromkeys(sites, 0.0))
        plans = {
            "none": ArmPlan(none, task),
            "L1": ArmPlan(Recipe(rates=none.rates, penalties={"*": L1(strength=1e-5)}), task),
            "L2": ArmPlan(Recipe(rates=none.rates, penalties={"*": L2(strength=1e-4)}), task),
            "early stopping": ArmPlan(Recipe(rates=none.rates, early_stopping=5), task),
            "augmentation": ArmPlan(msgspec.structs.replace(none, input_noise=noise_for(task)), task),
            "dropout": ArmPlan(Recipe(rates=dict.fromkeys(sites, 0.2)), task),
        }
        runs = RunFile(HERE / "depth.runs.jsonl")
        experiment = Experiment(plans, range(seeds), default_progress(), runs, effects=False)
        experiment.run()
        arms = experiment.arms()
        goal = given_loss(arms[0])
        reached = effects_of(arms, "loss", "test", goal, 0.99)["epochs"].values
        base = [trial.test.loss for trial in arms[0].trials]
        for arm in arms:
            losses = [trial.test.loss for trial in arm.trials]
            gain = paired_difference(base, losses, level=0.99)
            shown = f"{interval(gain)} | {gain.outcome}" if arm is not arms[0] else "|"
            there = [value for value in reached[arm.name] if value < float("inf")]
            time = spread(there, 1) if len(there) == seeds else f"{len(there)} of {seeds} got there"
            lines.append(f"| {depth} | {arm.name} | {spread(losses)} | {shown} | {time} |")
    publish("depth", "\n".join(lines))


if __name__ == "__main__":
    main()
