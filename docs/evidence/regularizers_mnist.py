"""The ordering of regularizers of Srivastava et al. 2014 (table 9), with a smaller net and 10,000 images of MNIST.

784 → 512 → 512 → 10, ReLU, momentum 0.9 with learning rate 0.05: none, L2, max-norm, dropout with L2 and with
max-norm. Rates 0.2 at the input and 0.5 in hidden layers. Strengths were chosen on validation data with seed 100.

    python docs/evidence/regularizers_mnist.py [epochs [seeds]]
"""

from __future__ import annotations

import sys

from common import compared, mlp, mnist_task, publish, table

from sukima.records.constraint import MaxNorm
from sukima.records.penalty import L1, L2
from sukima.records.recipe import Recipe

OFF = {"0.input": 0.0, "1": 0.0, "3": 0.0}
ON = {"0.input": 0.2, "1": 0.5, "3": 0.5}
ARMS = {
    "none": Recipe(rates=OFF),
    "L2": Recipe(rates=OFF, penalties={"*": L2(strength=1e-4)}),
    "L1 + L2": Recipe(rates=OFF, penalties={"*": L2(strength=1e-4), "0": L1(strength=1e-6)}),
    "max-norm": Recipe(rates=OFF, constraints={"*": MaxNorm(1.0)}),
    "dropout": Recipe(rates=ON),
    "dropout + L2": Recipe(rates=ON, penalties={"*": L2(strength=1e-5)}),
    "dropout + max-norm": Recipe(rates=ON, constraints={"*": MaxNorm(1.0)}),
}
PUBLISHED = {"L2": 1.62, "L1 + L2": 1.60, "max-norm": 1.35, "dropout + L2": 1.25, "dropout + max-norm": 1.05}


def main() -> None:
    """Train, compare, write."""
    epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    task = mnist_task(mlp(784, 512, 512, 10), 10_000, epochs=epochs, optimizer="momentum", learning_rate=0.05)
    found = compared("regularizers_mnist", task, ARMS, seeds)
    errors = {arm.name: 100 * (1 - sum(t.test.metric for t in arm.trials) / len(arm.trials)) for arm in found.arms}
    order = " < ".join(sorted(errors, key=errors.__getitem__))
    published = ", ".join(f"{name} {error}" for name, error in PUBLISHED.items())
    publish(
        "regularizers_mnist",
        f"{epochs} epochs, {seeds} seeds.\n\n{table(found)}\n\nTest error from low to high: {order}.\n\n"
        f"Published test error, %, of 784-1024-1024-2048-10 on all 60,000 images: {published}.",
    )


if __name__ == "__main__":
    main()
