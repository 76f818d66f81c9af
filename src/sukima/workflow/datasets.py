"""Data sets by name: real data that come with an installed library or lie in a framework's cache."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sukima.base.checks import check_choice
from sukima.base.errors import InputError
from sukima.base.imports import require

__all__ = ["DATASETS", "Rows", "load_dataset"]

DATASETS = ("digits", "mnist")
"""The names."""


class Rows(NamedTuple):
    """Inputs scaled to [0, 1], and classes."""

    inputs: NDArray[np.float32]
    targets: NDArray[np.int64]


def load_dataset(name: str) -> tuple[Rows, Rows | None]:
    """Training and test rows of a data set; no test rows where it comes without a split of its own.

    ``digits``: 1,797 images of 8 × 8 pixels, from scikit-learn. ``mnist``: 60,000 + 10,000 images of 28 × 28, from
    ``mnist.npz`` in the folder ``SUKIMA_DATA`` or Keras' cache, or from the files that torchvision keeps; nothing is
    downloaded.
    """
    check_choice("data", name, DATASETS)
    return (_digits(), None) if name == "digits" else _mnist()


def _digits() -> Rows:
    x, y = require("sklearn.datasets", "tune").load_digits(return_X_y=True)
    return Rows((x / 16).astype(np.float32), y.astype(np.int64))


def _mnist() -> tuple[Rows, Rows]:
    own = os.environ.get("SUKIMA_DATA", ".")
    files = [Path(own) / "mnist.npz", Path.home() / ".keras/datasets/mnist.npz"]
    for path in files:
        if path.is_file():
            with np.load(path, allow_pickle=False) as file:
                return _images(file["x_train"], file["y_train"]), _images(file["x_test"], file["y_test"])
    folders = [Path(root) / "MNIST/raw" for root in (own, "data")]
    for folder in folders:
        if (folder / "train-images-idx3-ubyte").is_file():
            train, test = (_idx_pair(folder, part) for part in ("train", "t10k"))
            return train, test
    raise InputError(
        "data 'mnist' must lie in one of {places} (nothing is downloaded), found in none",
        places=", ".join(map(str, [*files, *folders])),
    )


def _images(images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> Rows:
    return Rows((images.reshape(len(images), -1) / np.float32(255)).astype(np.float32), labels.astype(np.int64))


def _idx_pair(folder: Path, part: str) -> Rows:
    return _images(_idx(folder / f"{part}-images-idx3-ubyte"), _idx(folder / f"{part}-labels-idx1-ubyte"))


def _idx(path: Path) -> NDArray[np.uint8]:
    """An array in the IDX format that MNIST was published in."""
    content = path.read_bytes()
    dimensions = content[3]
    shape = np.frombuffer(content, ">u4", dimensions, 4).astype(int)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(shape)
