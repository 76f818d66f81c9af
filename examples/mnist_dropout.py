"""The classic exercise: a 784-512-256-128-10 network on MNIST without dropout (B) and with 0.5, 0.5, 0.3 (C).

    sukima compare examples/mnist_dropout.py

Both arms start from the same weights and see the same batches: Adam, batches of 128, 20 epochs, the last fifth of the
training images for validation. The table shows loss and accuracy of both, all measured with dropout off, so that
training and validation can be compared; a training accuracy logged while dropout is on cannot.

MNIST is read from ``mnist.npz`` in the folder ``SUKIMA_DATA`` or from Keras' cache; nothing is downloaded.
"""

from torch import nn

import sukima
from sukima.workflow.datasets import load_dataset

train, test = load_dataset("mnist")


def model() -> nn.Module:
    return nn.Sequential(
        nn.Linear(784, 512),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(512, 256),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(256, 128),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.Linear(128, 10),
    )


task = sukima.Task(
    model=model,
    train=train,
    validation=0.2,
    test=test,
    loss="cross_entropy",
    metric="accuracy",
    optimizer="adam",
    batch_size=128,
    epochs=20,
    name="MNIST, 784-512-256-128-10",
)

recipes = {
    "B: without dropout": sukima.Recipe(rates={"*": 0.0}),
    "C: 0.5, 0.5, 0.3": sukima.Recipe(rates={"2": 0.5, "5": 0.5, "8": 0.3}),
}
