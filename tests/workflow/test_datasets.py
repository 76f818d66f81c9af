"""Data sets by name: where they are looked for, and what comes out."""

import os
import struct
from pathlib import Path

import numpy as np
import pytest

from sukima.base.errors import InputError
from sukima.workflow.datasets import load_dataset
from sukima.workflow.demo import demo_task

SHARED = Path(os.environ.get("SUKIMA_DATA", Path(__file__).parents[3] / "shared/data"))
has_mnist = pytest.mark.skipif(not (SHARED / "mnist.npz").is_file(), reason="no mnist.npz at SUKIMA_DATA")


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SUKIMA_DATA", raising=False)


def test_digits() -> None:
    rows, test = load_dataset("digits")
    assert test is None
    assert rows.inputs.shape == (1797, 64)
    assert (rows.inputs.min(), rows.inputs.max()) == (0, 1)
    assert set(rows.targets) == set(range(10))


def check_mnist() -> None:
    train, test = load_dataset("mnist")
    assert test is not None
    assert train.inputs.shape == (60_000, 784)
    assert test.inputs.shape == (10_000, 784)
    assert train.inputs.dtype == np.float32
    assert (train.inputs.min(), train.inputs.max()) == (0, 1)


@has_mnist
def test_mnist_in_the_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUKIMA_DATA", str(SHARED))
    check_mnist()


@has_mnist
def test_mnist_in_the_cache_of_keras(tmp_path: Path) -> None:
    (tmp_path / ".keras/datasets").mkdir(parents=True)
    (tmp_path / ".keras/datasets/mnist.npz").symlink_to((SHARED / "mnist.npz").resolve())
    check_mnist()


def test_mnist_in_the_format_it_was_published_in(tmp_path: Path) -> None:
    folder = tmp_path / "data/MNIST/raw"
    folder.mkdir(parents=True)
    for part, rows in (("train", 5), ("t10k", 3)):
        images = np.arange(rows * 784, dtype=np.uint8)
        (folder / f"{part}-images-idx3-ubyte").write_bytes(
            struct.pack(">4B3I", 0, 0, 8, 3, rows, 28, 28) + images.tobytes()
        )
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">4BI", 0, 0, 8, 1, rows) + bytes(range(rows)))
    train, test = load_dataset("mnist")
    assert test is not None
    assert train.inputs.shape == (5, 784)
    assert np.allclose(train.inputs[0, :3] * 255, [0, 1, 2])
    assert test.targets.tolist() == [0, 1, 2]


def test_mnist_nowhere_names_the_places() -> None:
    with pytest.raises(InputError, match=r"mnist.*\.keras.*nothing is downloaded"):
        load_dataset("mnist")


def test_unknown_name() -> None:
    with pytest.raises(InputError, match="data must be one of 'digits', 'mnist', got 'cifar'"):
        load_dataset("cifar")


def test_demo_splits_do_not_overlap_and_keep_their_test_rows() -> None:
    small, large = demo_task(train_rows=200), demo_task()
    assert len(large.train[0]) == 800
    assert np.array_equal(small.test[0], large.test[0])
    assert np.array_equal(small.validation[0], large.validation[0])
    assert np.array_equal(small.train[0], large.train[0][:200])
    assert len(large.train[0]) + len(large.validation[0]) + len(large.test[0]) == 1797
    assert not np.array_equal(demo_task(split=1).test[0], large.test[0])


@pytest.mark.parametrize("rows", [0, 801, 2.5])
def test_demo_refuses_other_numbers_of_rows(rows: float) -> None:
    with pytest.raises(InputError, match="train_rows"):
        demo_task(train_rows=rows)
