"""Histories as TensorBoard event files, laid out as Keras lays them out: a run a seed, training beside validation.

The files are written without TensorBoard, whose import would load TensorFlow where it is installed. An event file is a
row of records: length, checksum of it, a protocol-buffer message, checksum of that.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from sukima.base.errors import InputError
from sukima.records.history import History
from sukima.records.result import Arm, Comparison, TuneResult

__all__ = ["write_tensorboard"]


def write_tensorboard(result: History | Comparison | TuneResult, folder: str | Path) -> Path:
    """Write the curves of a history, or of every run of a result, for ``tensorboard --logdir folder``.

    A run is ``folder/<arm>/seed-<seed>`` (of a history ``folder`` itself); below it ``train`` and ``validation`` hold
    ``epoch_loss`` and, where there is one, ``epoch_<metric>``, so that TensorBoard draws both in one chart.

    Returns:
        The folder.

    Raises:
        InputError: ``result`` is none of these.
    """
    folder = Path(folder)
    for place, history in _runs(result):
        _write(history, folder / place)
    return folder


def _runs(result: History | Comparison | TuneResult) -> Iterator[tuple[Path, History]]:
    if isinstance(result, History):
        yield Path(), result
        return
    if not isinstance(result, Comparison | TuneResult):
        raise InputError(
            "{name} must be {expected}, got {value}",
            name="result",
            expected="a History, or what tune or compare returned",
            value=type(result).__name__,
        )
    arms: list[Arm] = list(result.arms) if isinstance(result, Comparison) else list(result.search)
    if isinstance(result, TuneResult) and result.comparison is not None:
        arms += result.comparison.arms
    for arm in arms:
        for trial in arm.trials:
            yield Path(_file_name(arm.name)) / f"seed-{trial.seed}", trial.history


def _file_name(name: str) -> str:
    """A name that is a file name everywhere: an arm may be called anything."""
    return re.sub(r"[^\w.+-]+", "_", name).strip("._") or "arm"


def _write(history: History, folder: Path) -> None:
    for part in ("train", "validation"):
        curves = {"loss": getattr(history, f"{part}_loss"), history.metric: getattr(history, f"{part}_metric")}
        events = [_event(0, b"\x1a" + _sized(b"brain.Event:2"))]  # the file's version
        for name, curve in curves.items():
            tag = f"epoch_{name or 'metric'}".encode()
            for epoch, value in enumerate(curve):
                scalar = b"\x0a" + _sized(tag) + b"\x15" + struct.pack("<f", value)
                events.append(_event(epoch, b"\x2a" + _sized(b"\x0a" + _sized(scalar))))
        (folder / part).mkdir(parents=True, exist_ok=True)
        (folder / part / "events.out.tfevents.0.sukima").write_bytes(b"".join(events))


def _event(step: int, content: bytes) -> bytes:
    """One record: an event at a step, with what it holds. Its time is its step, so that the same run gives one file."""
    message = b"\x09" + struct.pack("<d", float(step)) + b"\x10" + _varint(step) + content
    head = struct.pack("<Q", len(message))
    return head + _checksum(head) + message + _checksum(message)


def _sized(content: bytes) -> bytes:
    return _varint(len(content)) + content


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def _checksum(content: bytes) -> bytes:
    """CRC-32C, rotated and shifted as the format has it."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc = _table()[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF)


@cache
def _table() -> tuple[int, ...]:
    entries = []
    for entry in range(256):
        for _ in range(8):
            entry = (entry >> 1) ^ (0x82F63B78 if entry & 1 else 0)
        entries.append(entry)
    return tuple(entries)
