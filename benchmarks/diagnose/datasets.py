"""The data sets, small: arrays of inputs and targets, split into a training pool, validation and held-out rows."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

DATA = Path(os.environ.get("SUKIMA_DATA", Path(__file__).parents[3] / "shared/data"))
CONTEXT = 12


@dataclass(frozen=True)
class Rows:
    """Inputs and targets, shuffled once for all; the first ``held_out`` rows are never trained on."""

    inputs: Tensor
    targets: Tensor
    held_out: int
    classes: int
    """0 for regression."""
    shape: tuple[int, ...]


@cache
def load(name: str) -> Rows:
    inputs, targets, held_out, classes = {
        "digits": digits,
        "mnist": mnist,
        "cifar": cifar,
        "shakespeare": shakespeare,
        "concrete": lambda: uci("concrete", 500),
        "energy": lambda: uci("energy", 400),
    }[name]()
    order = np.random.default_rng(0).permutation(len(inputs))
    x, y = torch.from_numpy(np.ascontiguousarray(inputs[order])), torch.from_numpy(targets[order])
    return Rows(x, y, held_out, classes, tuple(x.shape[1:]))


def digits() -> tuple[np.ndarray, np.ndarray, int, int]:
    from sklearn.datasets import load_digits

    found = load_digits()
    return (found.images[:, None] / 8 - 1).astype(np.float32), found.target.astype(np.int64), 700, 10


def mnist() -> tuple[np.ndarray, np.ndarray, int, int]:
    """The first 8,000 images, as 14 × 14."""
    with np.load(DATA / "mnist.npz") as file:
        images, labels = file["x_train"][:8000], file["y_train"][:8000]
    small = images.reshape(-1, 14, 2, 14, 2).mean((2, 4))[:, None] / 128 - 0.3
    return small.astype(np.float32), labels.astype(np.int64), 1000, 10


def cifar() -> tuple[np.ndarray, np.ndarray, int, int]:
    """The first 8,000 images, as 16 × 16 in grey."""
    with np.load(DATA / "cifar10_subset.npz") as file:
        images, labels = file["x_train"][:8000], file["y_train"][:8000].reshape(-1)
    grey = images.reshape(-1, 16, 2, 16, 2, 3).mean((2, 4, 5))[:, None]
    return ((grey - 120) / 60).astype(np.float32), labels.astype(np.int64), 1000, 10


def shakespeare() -> tuple[np.ndarray, np.ndarray, int, int]:
    """The next character after 12 of them."""
    text = np.frombuffer((DATA / "tinyshakespeare.txt").read_bytes(), dtype=np.uint8)
    symbols, codes = np.unique(text, return_inverse=True)
    starts = np.arange(0, len(codes) - CONTEXT - 1, CONTEXT + 1)[:20000]
    windows = codes[starts[:, None] + np.arange(CONTEXT)]
    return windows.astype(np.int64), codes[starts + CONTEXT].astype(np.int64), 1000, len(symbols)


def uci(name: str, held_out: int) -> tuple[np.ndarray, np.ndarray, int, int]:
    table = np.loadtxt(DATA / "uci" / name / "data.txt")
    features = np.loadtxt(DATA / "uci" / name / "index_features.txt").astype(int)
    target = int(np.loadtxt(DATA / "uci" / name / "index_target.txt"))
    x, y = table[:, features], table[:, target]
    x, y = (x - x.mean(0)) / (x.std(0) + 1e-9), (y - y.mean()) / y.std()
    return x.astype(np.float32), y.astype(np.float32), held_out, 0
