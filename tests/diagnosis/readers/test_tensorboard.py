"""TensorBoard's event files, written by torch's own writer where it is installed, and byte by byte."""

import struct
from pathlib import Path

import pytest

from sukima.base.errors import InputError
from sukima.diagnosis.readers import read_history

TRAIN = [2.0, 1.5, 1.25, 1.0, 0.875]
VALIDATION = [2.5, 1.75, 1.5, 1.625, 1.75]


def field(number: int, wire: int, content: bytes) -> bytes:
    return bytes([number << 3 | wire]) + (bytes([len(content)]) if wire == 2 else b"") + content


def record(event: bytes) -> bytes:
    return struct.pack("<QI", len(event), 0) + event + bytes(4)


def scalar(step: int, tag: str, value: float, *, tensor: bool = False) -> bytes:
    held = (
        field(8, 2, field(1, 0, b"\x01") + field(4, 2, struct.pack("<f", value)))
        if tensor
        else field(2, 5, struct.pack("<f", value))
    )
    summary = field(1, 2, field(1, 2, tag.encode()) + held)
    return record(field(1, 1, bytes(8)) + field(2, 0, bytes([step])) + field(5, 2, summary))


START = record(field(1, 1, bytes(8)) + field(3, 2, b"brain.Event:2"))


def test_one_file_with_both_tags(tmp_path: Path) -> None:
    path = tmp_path / "events.out.tfevents.1"
    path.write_bytes(
        START
        + b"".join(scalar(i, "loss/train", v) for i, v in enumerate(TRAIN))
        + b"".join(scalar(i, "loss/val", v) for i, v in enumerate(VALIDATION))
    )
    (reading,) = read_history(path)
    assert (reading.history.train_loss, reading.history.validation_loss) == (TRAIN, VALIDATION)
    assert reading.format == "TensorBoard"


def test_keras_writes_two_folders_with_tensors(tmp_path: Path) -> None:
    for role, curve in (("train", TRAIN), ("validation", VALIDATION)):
        (tmp_path / "run" / role).mkdir(parents=True)
        (tmp_path / "run" / role / "events.out.tfevents.1.v2").write_bytes(
            START + b"".join(scalar(i, "epoch_loss", v, tensor=True) for i, v in enumerate(curve))
        )
    (reading,) = read_history(tmp_path)
    assert (reading.history.train_loss, reading.history.validation_loss) == (TRAIN, VALIDATION)


def test_a_file_that_breaks_off_is_read_in_part(tmp_path: Path) -> None:
    whole = START + b"".join(
        scalar(i, t, v)
        for i, p in enumerate(zip(TRAIN, VALIDATION, strict=True))
        for t, v in zip(("loss", "val_loss"), p, strict=True)
    )
    path = tmp_path / "events"
    path.write_bytes(whole[:-30])
    (reading,) = read_history(path)
    assert reading.history.train_loss == TRAIN[:4]
    assert reading.notes


def test_a_claim_of_many_gigabytes_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "events"
    path.write_bytes(START + struct.pack("<QI", 10 * 2**30, 0) + b"x" * 100)
    with pytest.raises(InputError, match="no scalars"):
        read_history(path)


def test_files_of_the_real_writer(tmp_path: Path) -> None:
    tensorboard = pytest.importorskip("torch.utils.tensorboard", reason="tensorboard is not installed")
    writer = tensorboard.SummaryWriter(str(tmp_path))
    for i, (train, validation) in enumerate(zip(TRAIN, VALIDATION, strict=True)):
        writer.add_scalar("Loss/train", train, 300 * i)
        writer.add_scalar("Loss/validation", validation, 300 * i, new_style=True)
    writer.close()
    (reading,) = read_history(tmp_path)
    assert (reading.history.train_loss, reading.history.validation_loss) == (TRAIN, VALIDATION)
