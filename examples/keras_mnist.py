"""MNIST as Keras users write it: a network without dropout (B), with it (C), and with batch normalisation (D).

    KERAS_BACKEND=tensorflow python examples/keras_mnist.py [--epochs 20] [--models B C D]

Adam, batches of 128, the last fifth of the training images for validation. The table shows the training accuracy that
Keras prints beside the one measured in inference mode: Keras' own is a mean over the epoch with dropout on, and cannot
be compared with validation accuracy.

    sukima compare examples/keras_mnist.py

trains B and C with several seeds, paired, and says whether they differ. MNIST is read from ``mnist.npz`` in the folder
``SUKIMA_DATA`` or from Keras' own cache; where there is neither, Keras' loader is asked.
"""

from __future__ import annotations

import argparse
from typing import Any

import keras
from keras import layers

import sukima
from sukima.base.errors import InputError
from sukima.integrations.keras import SukimaCallback
from sukima.keras import Dropout
from sukima.workflow.datasets import load_dataset


def mnist() -> Any:
    try:
        return load_dataset("mnist")
    except InputError:
        (x, y), (x_test, y_test) = keras.datasets.mnist.load_data()
        return (x.reshape(-1, 784) / 255, y), (x_test.reshape(-1, 784) / 255, y_test)


def model_b() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((784,)),
            layers.Dense(512, activation="relu"),
            layers.Dense(256, activation="relu"),
            layers.Dense(128, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )


def model_c() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((784,)),
            layers.Dense(512, activation="relu"),
            Dropout(0.5, name="first"),
            layers.Dense(256, activation="relu"),
            Dropout(0.5, name="second"),
            layers.Dense(128, activation="relu"),
            Dropout(0.3, name="third"),
            layers.Dense(10, activation="softmax"),
        ]
    )


def model_d() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((784,)),
            layers.Dense(512),
            layers.BatchNormalization(),
            layers.Activation("relu"),
            Dropout(0.5),
            layers.Dense(256, activation="relu"),
            layers.BatchNormalization(),
            Dropout(0.4),
            layers.Dense(128, activation="relu"),
            layers.BatchNormalization(),
            Dropout(0.3),
            layers.Dense(10, activation="softmax"),
        ]
    )


MODELS = {"B": model_b, "C": model_c, "D": model_d}

train, test = mnist()
task = sukima.Task(
    model=model_c,
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
    "C: 0.5, 0.5, 0.3": sukima.Recipe(rates={"first": 0.5, "second": 0.5, "third": 0.3}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=list(MODELS))
    options = parser.parse_args()
    (x, y), (x_test, y_test) = train, test
    rows = len(x) * 4 // 5
    lines = []
    for name in options.models:
        keras.utils.set_random_seed(0)
        model = MODELS[name]()
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        callback = SukimaCallback(train=(x[:rows], y[:rows]), metric="accuracy")
        history = model.fit(
            x, y, batch_size=128, epochs=options.epochs, validation_split=0.2, callbacks=[callback], verbose=2
        ).history
        tested = model.evaluate(x_test, y_test, verbose=0, return_dict=True)
        last = [history[key][-1] for key in ("accuracy", "inference_accuracy", "val_accuracy", "val_loss")]
        lines.append(f"{name:5}" + "".join(f"{value:14.4f}" for value in (*last, tested["accuracy"])))
    print(f"\n{'':5}{'train (Keras)':>14}{'train':>14}{'validation':>14}{'val. loss':>14}{'test':>14}")
    print("\n".join(lines))
    print(
        "\n'train (Keras)' is a mean over the last epoch, with dropout on and weights that still change: it may lie\n"
        "below validation although the model fits the training data better. 'train' is the same data measured as\n"
        "validation is, with dropout off: the gap is the difference of these two."
    )


if __name__ == "__main__":
    main()
